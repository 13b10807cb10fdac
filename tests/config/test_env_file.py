"""The parsing table of `.env`, and its report of problems."""

from pathlib import Path

import pytest

from scripts.config import env_file
from scripts.config.settings import EnvKey, load_settings
from scripts.core.errors import InputError

pytestmark = pytest.mark.unit

KEYS = {
    "PASSWORD": EnvKey(description="the password", generate=True),
    "URL": EnvKey(description="the database", optional=True, format="postgres_url"),
    "NOTE": EnvKey(description="anything", optional=True),
    "LOGIN": EnvKey(description="a login", optional=True, format="login"),
}


def parsed(values: dict[str, str]) -> env_file.Parsed:
    return env_file.parse("".join(f"{key}='{value}'\n" for key, value in values.items()), KEYS)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("A=plain", {"A": "plain"}, id="no final newline"),
        pytest.param("A=b\r\nC=d\r\n", {"A": "b", "C": "d"}, id="CRLF"),
        pytest.param("\ufeffA=b\n", {"A": "b"}, id="byte order mark"),
        pytest.param("A='single # quoted'\n", {"A": "single # quoted"}, id="single quotes"),
        pytest.param('A="double \\"quoted\\""\n', {"A": 'double "quoted"'}, id="double quotes"),
        pytest.param("A=value # comment\n", {"A": "value"}, id="trailing comment"),
        pytest.param("A=value#not-a-comment\n", {"A": "value#not-a-comment"}, id="a # within a word"),
        pytest.param("# comment\n\nA=b\n", {"A": "b"}, id="comments and blank lines"),
        pytest.param("export A=b\n", {"A": "b"}, id="export"),
        pytest.param("A=\nB=''\n", {"A": "", "B": ""}, id="empty values"),
        pytest.param('A="one\ntwo"\nB=c\n', {"A": "one\ntwo", "B": "c"}, id="multi-line"),
        pytest.param('A="one\r\ntwo"\r\n', {"A": "one\ntwo"}, id="multi-line with CRLF"),
        pytest.param("A=pa$$word${B}\nB=c\n", {"A": "pa$$word${B}", "B": "c"}, id="nothing is interpolated"),
        pytest.param("A = spaced \n", {"A": "spaced"}, id="spaces around the ="),
        pytest.param("A=ключ-パス-🔑\n", {"A": "ключ-パス-🔑"}, id="any script"),
        pytest.param("A=a=b==\n", {"A": "a=b=="}, id="= within a value"),
        pytest.param("", {}, id="an empty file"),
    ],
)
def test_a_value_is_read_as_it_is_meant(text: str, values: dict[str, str]) -> None:
    parsed = env_file.parse(text)
    assert (parsed.values, parsed.problems) == (values, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A=b\nA=c\n", "line 2: A is set again (first on line 1); keep one"),
        ("\n\nJUST_A_WORD\n", "line 3: has no `=`"),
        ("A='left open\nB=c\n", "line 1: not a `KEY=value` line (is a quote left open?)"),
        ("lower=b\n", "line 1: what is before the `=` is not a key: use upper-case letters, digits and _"),
        ("a=b\n", "line 1: write A in upper case"),
    ],
)
def test_a_malformed_line_is_named_with_its_number(text: str, problem: str) -> None:
    assert problem in env_file.parse(text, {"A"}).problems


DECLARE = "declare it under `env` in invoke.yaml, or, a plain setting, write it into its service's `env` there"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "PASSWORD is missing: the password (any strong value: openssl rand -hex 24)"),
        ({"PASSWORD": ""}, "PASSWORD is empty: the password (any strong value: openssl rand -hex 24)"),
        ({"PASSWORD": "changeme"}, "PASSWORD still contains a placeholder: the password"),
        ({"PASSWORD": "<your password>"}, "PASSWORD still contains a placeholder: the password"),
        ({"PASSWORD": "your-password-here"}, "PASSWORD still contains a placeholder: the password"),
        ({"PASSWORD": "abc"}, "PASSWORD is shorter than 4 characters"),
        (
            {"PASSWORD": "long enough", "URL": "mysql://u:p@h/d"},
            "URL must begin with postgresql://, as in postgresql://user:password@host/database",
        ),
        (
            {"PASSWORD": "long enough", "URL": "postgresql://h/d"},
            "URL has no user and password before an `@`, as in postgresql://user:password@host/database",
        ),
        ({"PASSWORD": "long enough", "PASWORD": "x"}, "line 2: PASWORD is not a key of this project (did you mean PASSWORD?)"),
        (
            {"PASSWORD": "long enough", "PORT": "x"},
            f"line 2: PORT is not a key of this project (known: LOGIN, NOTE, PASSWORD, URL): {DECLARE}",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(values: dict[str, str], problem: str) -> None:
    assert env_file.check(parsed(values), KEYS) == [problem]


def test_good_values_have_no_problem() -> None:
    assert env_file.check(parsed({"PASSWORD": "long enough", "URL": "postgres://u:p@h/d", "NOTE": ""}), KEYS) == []


def test_all_problems_come_at_once_and_without_a_value(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("URL=mysql://secret-host\nUNKNOWN=secret-value\n")
    with pytest.raises(InputError) as error:
        env_file.read(path, KEYS)
    assert error.value.cause == ".env: 3 problems"
    assert len(error.value.evidence) == 3
    assert "secret" not in str(error.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.env does not exist\n  -> cp \.env\.example \.env"):
        env_file.read(tmp_path / ".env", KEYS)


def test_a_folder_in_its_place_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(InputError, match=r"\.env cannot be read: Is a directory"):
        env_file.read(tmp_path / ".env", KEYS)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PASSWORD=\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8 text"):
        env_file.read(tmp_path / ".env", KEYS)


def test_a_file_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PASSWORD=long enough\n")
    path.chmod(0o644)
    assert env_file.read(path, KEYS).warnings == (".env can be read by other users of this machine: chmod 600 .env",)
    path.chmod(0o600)
    assert env_file.read(path, KEYS).warnings == ()


def test_the_representation_shows_no_value(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PASSWORD=hidden-value\n")
    path.chmod(0o600)
    read = env_file.read(path, KEYS)
    assert "hidden-value" not in repr(read)
    assert read.get("PASSWORD") == "hidden-value"


def test_the_example_and_the_settings_name_the_same_keys() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    parsed = env_file.parse(example.read_text())
    assert parsed.problems == []
    assert set(parsed.values) == set(load_settings().env)
    assert not any(parsed.values.values()), "the example holds a value that somebody could go on using"


@pytest.mark.parametrize("login", ["me:", ":pass", "only-a-word", "me:two\nlines"])
def test_a_login_is_a_user_and_a_password_on_one_line(login: str) -> None:
    assert [
        line for line in env_file.check(env_file.Parsed({"PASSWORD": "long enough", "LOGIN": login}, {}), KEYS) if line.startswith("LOGIN")
    ]
    assert env_file.check(env_file.Parsed({"PASSWORD": "long enough", "LOGIN": "me:to:ken"}, {}), KEYS) == []

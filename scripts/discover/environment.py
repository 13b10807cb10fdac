"""What a service gets in its environment: plain settings, keys of `.env`, and arguments of its build."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.config.database_url import DRIVERS, SCHEMES
from scripts.config.placeholders import is_placeholder
from scripts.discover import names
from scripts.discover.addresses import Known, Written, names_this_machine, written
from scripts.discover.drafted import Draft, Key
from scripts.discover.folder import Program
from scripts.discover.found import EnvKey, Found, Ref, Value, text_value

_POSTGRES = re.compile(r"(?P<scheme>postgres(?:ql)?(?:\+\w+)?)://", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_SQLITE = re.compile(r"(?P<scheme>sqlite(?:\+\w+)?):///?(?P<path>[^?]*)")
_OF_COMPOSE = re.compile(r"COMPOSE_[A-Z_]+$|DOCKER_BUILDKIT$")
"""What Docker and Compose themselves read from the same file."""
_SERVERS = ("kafka", "mysql", "mongo", "mongodb", "rabbitmq", "elastic", "elasticsearch", "redis", "db", "database", "pg", "postgres")
DATA = "/data"
"""Where the file of a SQLite database is put, since the program's own folder cannot be written to."""


@dataclass
class Environment:
    """What one service gets, and what follows from it."""

    env: dict[str, str] = field(default_factory=dict)
    secrets: list[str | dict[str, Any]] = field(default_factory=list)
    build_args: dict[str, str] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    browsed: set[str] = field(default_factory=set)
    internet: set[int] = field(default_factory=set)
    sqlite: str = ""
    """The folder of its SQLite database, where it has one."""


@dataclass(frozen=True)
class Setting:
    """What the environment of one service is made from."""

    name: str
    """The service's own, in the draft."""
    found: Found
    program: Program | None
    examples: Mapping[str, EnvKey]
    known: Known
    release: str


def environment(setting: Setting, draft: Draft) -> Environment:
    """Return what a service gets; its keys of `.env`, its reasons and what could not be known go into the draft."""
    made = Environment()
    for name, value in _variables(setting).items():
        if name == "PORT" or _OF_COMPOSE.match(name) or not re.fullmatch(r"[A-Za-z_]\w*", name):
            continue
        _place(name, value, setting, made, draft)
    _build_args(setting, made, draft)
    if setting.program and setting.program.project.calls_out:
        made.internet.add(443)
    made.calls.discard(setting.name)
    return made


def _variables(setting: Setting) -> dict[str, Value]:
    """What the files say, and what they leave out."""
    found, program = dict(setting.found.environment), setting.program
    for text in [*setting.found.command, *setting.found.args]:
        found |= {name: Value((Ref(name),)) for name in re.findall(r"\$([A-Za-z_]\w*)", text) if names.secret(name) and name not in found}
    if program is None:
        return found
    own = {key.name: Value((Ref(key.name, key.value),)) for key in program.examples if not key.name.startswith("TEST_")}
    told = bool(found)
    for name in [*own, *program.code.names]:
        if name not in found and (_is_read_alone(name, program, setting) or (not told and _is_a_key(name, own, setting))):
            found[name] = own.get(name, Value((Ref(name),)))
    return found


def _is_a_key(name: str, own: Mapping[str, Value], setting: Setting) -> bool:
    """Whether a name is given to a service of which no file tells what it gets."""
    return name in own or name in setting.examples or names.secret(name) or names.database_url(name)


def _is_read_alone(name: str, program: Program, setting: Setting) -> bool:
    """Whether a name that the service's file leaves out is given to it all the same, since its code reads it."""
    if name in program.dockerfile.env:
        return False
    if setting.found.has_other_secrets and (names.secret(name) or names.database_url(name)):
        return True
    return program.code.names.get(name, False) or (name in program.code.names and names.secret(name) and names.of_others(name))


def _place(name: str, value: Value, setting: Setting, made: Environment, draft: Draft) -> None:
    value = _with_examples(value, setting.examples)
    text = value.text
    if names.for_browser(name) and setting.program is not None:
        if _is_served_by_hand(setting):
            made.env[name] = _for_a_page(name, text, (setting.name, "env", name), setting, made, draft)
        return  # built into the page: see _build_args
    if names.database_url(name) or _POSTGRES.match(text) or _POSTGRES.match(value.written(lambda _: "x")):
        _database(name, value, text, setting, made, draft)
    elif names.secret(name) or any(names.secret(ref.name) for ref in value.refs) or _WITH_PASSWORD.search(text):
        _secret(name, value, setting, made, draft)
    elif value.refs and (not text or any(ref.secret for ref in value.refs)):
        _without_value(name, value, setting, made, draft)
    else:
        _plain(name, text, setting, made, draft)


def _with_examples(value: Value, examples: Mapping[str, EnvKey]) -> Value:
    """The value, with what the examples say where the file itself has no default."""

    def filled(ref: Ref) -> Ref:
        example = examples.get(ref.name)
        default = ref.default or (example.value if example else "")
        return Ref(ref.name, "" if is_placeholder(default, ref.name) and not _POSTGRES.match(default) else default, ref.secret)

    return Value(tuple(filled(piece) if isinstance(piece, Ref) else piece for piece in value.pieces))


def _is_served_by_hand(setting: Setting) -> bool:
    """Whether the page is built each time that the container starts, and reads its settings then."""
    started = " ".join(setting.found.args) or (setting.program.dockerfile.started if setting.program else "")
    return bool(re.search(r"\b(dev|develop)\b", started))


def _plain(name: str, text: str, setting: Setting, made: Environment, draft: Draft) -> None:
    said = written(text, name, setting.name, setting.known)
    made.env[name] = said.text
    _follow(said, (setting.name, "env", name), made, draft)
    if names_this_machine(said.text):
        draft.tell(setting.name, f"{name} names this machine itself ({text}), which pods do not reach: name a service, or an address")
    if re.search(r"https://(?!localhost)", said.text) and not names.faces_the_browser(name):
        made.internet.add(443)
    if re.fullmatch(r"(SMTP|EMAIL|MAIL)_PORT", name) and text.isdigit() and 0 < int(text) < 65536 and not _own_mail(made):
        made.internet.add(int(text))


def _own_mail(made: Environment) -> bool:
    return any(text.startswith("{") for name, text in made.env.items() if re.fullmatch(r"(SMTP|EMAIL|MAIL)_(HOST|SERVER)", name))


def _follow(said: Written, place: tuple[str, ...], made: Environment, draft: Draft) -> None:
    made.calls |= said.calls
    made.browsed |= said.browsed
    if said.reason:
        draft.reasons[place] = said.reason


def _secret(name: str, value: Value, setting: Setting, made: Environment, draft: Draft) -> None:
    """A key of `.env`; where it is put together of others, they are keys and it has a default."""
    parts = [ref for ref in value.refs if names.secret(ref.name)]
    if parts and not value.whole and not names.secret(name):
        text = value.written(lambda ref: f"{{{names.key_name(ref.name)}}}" if names.secret(ref.name) else ref.default)
        said = written(re.sub(r"\{([A-Z]\w*)\}", r"<\1>", text), name, setting.name, setting.known)
        made.calls |= said.calls
        default = re.sub(r"<(\w+)>", r"{\1}", _in_release(said.text, setting))
        for ref in parts:
            draft.add_key(_secret_key(names.key_name(ref.name), setting, draft))
        draft.add_key(Key(names.key_name(name), f"{name}; empty means what invoke.yaml says", optional=True, default=default))
        made.secrets.append(_entry(name, names.key_name(name)))
        return
    key = _shared(value, setting) or names.key_name(value.whole.name if value.whole else name)
    draft.add_key(_secret_key(key, setting, draft))
    made.secrets.append(_entry(name, key))
    if names.of_others(key):
        made.internet.add(443)


def _shared(value: Value, setting: Setting) -> str:
    """The key that has the same password for the server that wants it."""
    return setting.known.passwords.get(value.sameness, "") if value.sameness else ""


def _in_release(text: str, setting: Setting) -> str:
    """References as a key's default has them: names of machines made of the release's."""

    def host(match: re.Match[str]) -> str:
        name, port = match[1], setting.known.ports.get(match[1], 5432)
        forms = {"": f"{{release}}-{name}", ".port": str(port), ".url": f"http://{{release}}-{name}:{port}"}
        return forms.get(match[2] or "", match[0])

    return re.sub(r"\{([a-z][a-z0-9-]*)(\.[a-z_]+)?\}", host, text)


def _secret_key(key: str, setting: Setting, draft: Draft) -> Key:
    example = setting.examples.get(key)
    generate = names.can_be_generated(key) and not _of_a_server_elsewhere(key, setting)
    needed = bool(setting.program and setting.program.code.names.get(key))
    described = _comment(example) or _described(key, generate=generate)
    if names.needs_a_form(key) and not names.of_others(key):
        draft.tell(key, "may have to have a form of its own, such as a Fernet key's: make it as the app's README says, and put it in .env")
        return Key(key, described)
    return Key(key, described, optional=not generate and not needed, generate=generate)


def _of_a_server_elsewhere(key: str, setting: Setting) -> bool:
    """Whether it is the password of a server that is none of the app's."""
    server = next((word for word in key.lower().split("_") if word in _SERVERS), "")
    return bool(server) and not any(server in alias or alias in ("db", "database") for alias in setting.known.by_alias)


def _comment(example: EnvKey | None) -> str:
    return textwrap.shorten(example.comment, 120, placeholder=" …") if example else ""


def _described(key: str, *, generate: bool) -> str:
    if generate:
        return f"{key}: known to the app alone, any strong value does"
    return f"{key}, of an account somewhere else; empty: what needs it does not work"


def _without_value(name: str, value: Value, setting: Setting, made: Environment, draft: Draft) -> None:
    """A plain setting that no file gives a value: the name may tell which service it is; else it is a key of `.env`."""
    if guess := _service_named(name, setting):
        made.env[name] = f"{{{guess}.url}}"
        made.calls.add(guess)
        draft.reasons[setting.name, "env", name] = "no file gives it a value; its name says so"
        return
    key = names.key_name(value.whole.name if value.whole else name)
    example = setting.examples.get(key)
    needed = bool(setting.program and setting.program.code.names.get(name))
    draft.add_key(Key(key, _comment(example) or f"the setting {name}", optional=not needed))
    made.secrets.append(_entry(name, key))


def _service_named(name: str, setting: Setting) -> str:
    """The service that a name such as BACKEND_URL means; an empty string where it means none, or one of several."""
    if not re.search(r"_(URL|URI|HOST|ENDPOINT)$", name):
        return ""
    said = set(name.lower().split("_"))
    others = [each for each in setting.known.ports if each not in (setting.name, setting.known.database)]
    usual = {"api", "backend", "server"}
    backends = {"api", "backend"}
    servers = [each for each in others if each in setting.known.built - setting.known.pages]
    ways = [[each for each in others if set(each.split("-")) & said]]
    if said & usual:
        ways += [[each for each in servers if set(each.split("-")) & backends], servers]
    return next((way[0] for way in ways if len(way) == 1), "")


def _database(name: str, value: Value, text: str, setting: Setting, made: Environment, draft: Draft) -> None:
    """The URL of a database: the bundled Postgres while its key is empty, where it can be one."""
    project = setting.program.project if setting.program else None
    if sqlite := _SQLITE.match(text):
        if not (project and project.has_postgres_driver):
            file = sqlite["path"].rpartition("/")[2] or "app.db"
            folder = next((mount.target.rstrip("/") for mount in setting.found.mounts if mount.source and not mount.bind), DATA)
            made.env[name], made.sqlite = f"{sqlite['scheme']}:///{folder}/{file}", folder
            draft.reasons[setting.name, "env", name] = "a file, in the one folder that can be written to; it goes with the pod"
            return
    elif text and not _POSTGRES.match(text):
        if value.refs or names.secret(name) or _WITH_PASSWORD.search(text):
            _other_database(name, value, setting, made, draft)
        else:
            _plain(name, text, setting, made, draft)
        return
    match = _POSTGRES.match(text)
    scheme = _scheme(match["scheme"]) if match and not (project and project.scripts) else ""  # drivers are Python's
    key = names.key_name(value.whole.name if value.whole else "DATABASE_URL" if _is_bundled(text, setting) else name)
    if value.whole and not text and key != "DATABASE_URL" and "DATABASE_URL" in setting.found.environment:
        default = ""  # a second one that may be empty, for those who have it
    else:
        default = draft.database_url()
        draft.database = True
        made.calls.add("postgres")
    comment = "the database, as postgresql://user:password@host/database" + ("; empty means the bundled Postgres" if default else "")
    draft.add_key(Key(key, comment, optional=True, format="postgres_url", default=default))
    if scheme and scheme != "postgresql":
        made.secrets.append({name: {"from": key, "scheme": scheme}})
    else:
        made.secrets.append(_entry(name, key))
    made.internet.add(5432)


def _other_database(name: str, value: Value, setting: Setting, made: Environment, draft: Draft) -> None:
    key = names.key_name(value.whole.name if value.whole else name)
    draft.add_key(Key(key, f"the URL of a database ({name})", optional=False))
    made.secrets.append(_entry(name, key))
    draft.tell(setting.name, f"{name} is the URL of a database that is no Postgres: put it in .env as {key}, and its port under internet")


def _scheme(scheme: str) -> str:
    base, _, driver = scheme.lower().partition("+")
    return scheme.lower() if base in SCHEMES and driver in ("", *DRIVERS) else ""


def _is_bundled(text: str, setting: Setting) -> bool:
    match = re.search(r"@([^/:?]+)", text)
    return bool(match and setting.known.by_alias.get(match[1].lower()) == setting.known.database != "")


def _build_args(setting: Setting, made: Environment, draft: Draft) -> None:
    if setting.program is None or setting.found.build is None:
        return
    declared, given = setting.program.dockerfile.args, setting.found.build.args
    wanted = {name: value for name, value in given.items() if name in declared}
    for name in filter(lambda name: not names.for_browser(name), set(given) - set(declared)):
        draft.tell(setting.name, f"the compose file gives the build argument {name}, and the Dockerfile has no ARG of that name")
    own = {key.name: key for key in setting.program.examples}
    told = {**setting.found.environment, **own, **setting.program.code.names} if setting.program.project.page else {}
    told |= given
    for name in filter(names.for_browser, {**declared, **told}):
        value = (
            given.get(name) or setting.found.environment.get(name) or (text_value(own[name].value) if name in own else Value((Ref(name),)))
        )
        if name in declared:
            wanted.setdefault(name, value)
        elif not _is_served_by_hand(setting):
            text = _with_examples(value, setting.examples).text
            made.browsed |= written(text, name, setting.name, setting.known).browsed
            draft.tell(
                setting.name,
                f"{name} is built into the page, and the Dockerfile has no `ARG {name}`: the page takes what its code says by itself"
                + (f", not {text}" if text and not _WITH_PASSWORD.search(text) else ""),
            )
    for name, value in sorted(wanted.items()):
        _build_arg(name, _with_examples(value, setting.examples).text or declared.get(name, ""), setting, made, draft)


def _build_arg(name: str, text: str, setting: Setting, made: Environment, draft: Draft) -> None:
    place = (setting.name, "build_args", name)
    if names.secret(name) or names.database_url(name) or _WITH_PASSWORD.search(text):
        draft.tell(setting.name, f"the build argument {name} looks like a secret: it can be read in the image, and was left out")
        return
    said = _for_a_page(name, text, place, setting, made, draft)
    made.build_args[name] = re.sub(r"\{([a-z][a-z0-9-]*)(\.url)?\}(?::\{\1\.port\})?", lambda match: _fixed(match, setting), said)


def _for_a_page(name: str, text: str, place: tuple[str, ...], setting: Setting, made: Environment, draft: Draft) -> str:
    """Return a setting that is built into a page: what a browser calls is on this machine, also where the file names a deployment."""
    said = written(text, name, setting.name, setting.known, built_in=True)
    _follow(said, place, made, draft)
    away = re.match(r"https?://(?!localhost|127\.)[^/]+", said.text) if not said.browsed else None
    if (not text or away) and (guess := _service_named(name, setting)):
        made.browsed.add(guess)
        draft.reasons[place] = (
            f"its name says so; the file says {away[0]}, a deployment" if away else "no file gives it a value; its name says so"
        )
        return f"{{{guess}.local_url}}{said.text[away.end() :] if away else ''}"
    return said.text


def _fixed(match: re.Match[str], setting: Setting) -> str:
    """The name of a service in what is built: an image has no references to machines, so it is the one in this release."""
    host = f"{setting.release}-{match[1]}"
    port = setting.known.ports.get(match[1], 5432)
    return f"http://{host}:{port}" if match[2] else f"{host}:{port}" if ".port" in match[0] else host


def _entry(name: str, key: str) -> str | dict[str, Any]:
    return name if name == key else {name: key}

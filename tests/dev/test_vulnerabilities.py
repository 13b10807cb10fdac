"""`invoke check.vulnerabilities` finds a planted version that is known to be vulnerable, and says what could not be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from scripts.core import paths
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Report
from scripts.dev.advisories import LOCK, Known, Package, npm_packages, of_images, of_npm, of_python, python_packages
from scripts.dev.indexes import Indexes
from scripts.dev.vulnerabilities import show
from tests.serving import Quiet, serving

pytestmark = pytest.mark.runner

# As PyPI, npm's registry and trivy 0.6x answer, shortened.
SANDBOX = {
    "id": "PYSEC-2019-217",
    "aliases": ["GHSA-462w-v97r-4m45", "CVE-2019-10906"],
    "details": "In Pallets Jinja before 2.10.1, str.format_map allows a sandbox escape.",
    "fixed_in": ["2.10.1"],
    "link": "https://osv.dev/vulnerability/PYSEC-2019-217",
    "source": "osv",
    "summary": None,
    "withdrawn": None,
}
UNFIXED = {"id": "PYSEC-2017-94", "aliases": [], "details": "Heap overflow\nin ALGnew", "fixed_in": [], "withdrawn": None}
WITHDRAWN = {**SANDBOX, "id": "PYSEC-2020-1", "aliases": [], "withdrawn": "2021-01-01T00:00:00Z"}
NPM = {
    "lodash": [
        {
            "id": 1106913,
            "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
            "title": "Command Injection in lodash",
            "severity": "high",
            "vulnerable_versions": "<4.17.21",
        }
    ]
}
ANSWERS: dict[str, Any] = {
    "/pypi/jinja2/2.10/json": {"info": {"version": "2.10"}, "vulnerabilities": [SANDBOX, WITHDRAWN]},
    "/pypi/jinja2/3.1.6/json": {"info": {"version": "3.1.6"}, "vulnerabilities": []},
    "/pypi/pycrypto/json": {"info": {"version": "2.6.1"}, "vulnerabilities": [UNFIXED]},
    "/pypi/odd/1/json": ["a login page"],
}
TRIVY = """#!/bin/sh
case "$*" in
  *broken*) echo 'FATAL failed to download vulnerability DB' >&2; exit 1 ;;
  *odd*) echo '<html>' ;;
  *clean*) echo '{"SchemaVersion": 2, "Results": [{"Target": "clean (debian 13)", "Class": "os-pkgs"}]}' ;;
  *) echo '{"Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-2024-5535", "PkgName": "openssl",
"InstalledVersion": "3.0.1", "FixedVersion": "3.0.15", "Severity": "CRITICAL", "Title": "openssl: a buffer overread"}]}]}' ;;
esac
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """An index for both; what npm's registry was asked."""
    bodies = list[Any]()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(ANSWERS.get(self.path))

        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._say(NPM if self.path == "/npm/-/npm/v1/security/advisories/bulk" else None)

        def _say(self, answer: Any) -> None:
            body = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        for name, value in {"PIP_INDEX_URL": f"{url}/simple/", "NPM_CONFIG_REGISTRY": f"{url}/npm/", "NO_PROXY": "*"}.items():
            monkeypatch.setenv(name, value)
        yield bodies


@pytest.mark.usefixtures("asked")
def test_a_planted_python_version_is_found_and_what_is_not_told_is_counted() -> None:
    versions = [("jinja2", "2.10"), ("jinja2", "3.1.6"), ("pycrypto", "2.6.1"), ("pycrypto", "2.6"), ("odd", "1"), ("none", "1")]
    known = of_python([Package(name, "lock", version) for name, version in versions], Indexes())
    assert [row[:1] + row[2:] for row in known.advisories] == [
        ("jinja2", "2.10", "CVE-2019-10906", "before 2.10.1", SANDBOX["details"]),
        ("pycrypto", "2.6.1", "PYSEC-2017-94", "every version", "Heap overflow in ALGnew"),
    ]
    assert known.looked_at == 3
    assert known.not_told == [
        "the index reports only the newest version",
        "the index's answer cannot be understood",
        "127.0.0.1 answered 404 Not Found",
    ]


def test_npm_is_asked_once_for_all(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    packages = [Package("lodash", LOCK, "4.17.15"), Package("next", LOCK, "16.0.0")]
    known = of_npm(packages, Indexes())
    assert asked == [{"lodash": ["4.17.15"], "next": ["16.0.0"]}]
    assert known.advisories == [("lodash", LOCK, "4.17.15", "GHSA-35jh-r3h4-6jhm", "<4.17.21", "Command Injection in lodash")]
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    assert of_npm(packages, Indexes()).not_told == ["127.0.0.1 cannot be reached"] * 2


def test_trivy_tells_of_images_where_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="trivy"):
        of_images(["a:1"])
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "trivy").write_text(TRIVY)
    (tmp_path / "trivy").chmod(0o755)
    known = of_images(["a:1", "clean:1", "broken:1", "odd:1"])
    assert known.advisories == [("openssl", "a:1", "3.0.1", "CVE-2024-5535", "before 3.0.15", "openssl: a buffer overread")]
    assert known.looked_at == 2
    assert known.not_told == ["FATAL failed to download vulnerability DB", "trivy's answer cannot be understood"]


def told(*found: Known, left_out: str = "") -> list[dict[str, Any]]:
    out = StringIO()
    try:
        show(found, Report(as_json=True, stdout=out, stderr=StringIO()), left_out)
    finally:
        events = [json.loads(line) for line in out.getvalue().splitlines()]
    return events


def test_how_it_ends() -> None:
    row = ("a", "x", "1", "CVE-1", "before 2", "it breaks")
    with pytest.raises(TaskError, match="in 1 of them") as caught:
        told(Known("npm packages", 2, [row, (*row[:3], "CVE-2", *row[4:])], ["silent"]))
    assert (caught.value.code, caught.value.exit_code) == ("vulnerable", 1)
    with pytest.raises(MissingError) as missing:
        told(Known("npm packages", 2, [], ["silent", "silent"]))
    assert missing.value.code == "not-looked-at"
    events = told(Known("images", 2), left_out="images: trivy is not installed")
    assert [each["event"] for each in events] == ["vulnerabilities", "message", "warning"]
    assert "trivy is not installed" in events[-1]["text"]


def test_everything_that_is_locked_is_looked_at() -> None:
    python, npm = python_packages(ROOT), npm_packages(ROOT)
    assert {"invoke", "fastapi", "pytest"} <= {each.name for each in python}
    assert len({(each.name, each.now) for each in python}) == len(python)
    locked = json.loads((ROOT / LOCK).read_text())["packages"]
    assert {each.name for each in npm} == {path.rpartition("node_modules/")[2] for path in locked if path}

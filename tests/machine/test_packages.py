"""apt and the Docker daemon are programs at the process boundary."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from scripts.core.errors import TaskError
from scripts.machine import packages
from tests.doubles import Step

pytestmark = pytest.mark.runner


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

"""What the machine refuses is told as that, and is no defect."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from scripts.core import lock, log, machine_trouble, pipeline
from scripts.core.errors import FAILED, InputError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Report

pytestmark = pytest.mark.unit


def raising(error: OSError) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/image.tar"), "/x/image.tar: No space left on device\n  -> free disk space"),
        (OSError(errno.ENOSPC, "No space left on device"), "error: No space left on device\n  -> free disk space"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "-> use a checkout in a folder that can be written to"),
        (PermissionError(errno.EACCES, "Permission denied", "/"), "/: Permission denied\n  -> see who owns it: ls -ld /"),
        (OSError(errno.EMFILE, "Too many open files", "/x"), "ulimit -n"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
    ],
)
@pytest.mark.parametrize("within_step", [True, False])
def test_it_is_no_defect(error: OSError, says: str, within_step: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "ROOT", tmp_path)
    monkeypatch.setattr(log, "DEFECT", tmp_path / "defect.log")
    err = io.StringIO()
    report = Report(stdout=io.StringIO(), stderr=err)
    step = Step("load", lambda _: raising(error))
    work = (lambda: run_steps([step], report)) if within_step else (lambda: raising(error))
    assert pipeline.run_to_exit_code(work, report) == FAILED
    assert says in err.getvalue()
    assert "defect" not in err.getvalue()


def test_what_no_machine_does_is_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "ROOT", tmp_path)
    monkeypatch.setattr(log, "DEFECT", tmp_path / "defect.log")
    err = io.StringIO()
    pipeline.run_to_exit_code(lambda: raising(OSError(errno.EBADF, "Bad file descriptor")), Report(stdout=io.StringIO(), stderr=err))
    assert "this is a defect" in err.getvalue()


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout where an earlier run left a folder."""
    monkeypatch.setattr(machine_trouble, "ROOT", tmp_path)
    monkeypatch.setattr(machine_trouble, "STATE", tmp_path / ".state")
    monkeypatch.setattr(machine_trouble, "CACHE", tmp_path / ".cache")
    monkeypatch.setattr(machine_trouble, "TOOLS", tmp_path / ".tools/bin")
    monkeypatch.setattr(lock, "PATH", tmp_path / ".state/lock")
    (tmp_path / ".state").mkdir()
    return tmp_path / ".state"


@pytest.mark.parametrize("what", [".state", ".state/lock", ".tools", ".tools/bin/helm"])
def test_what_an_earlier_run_by_sudo_left_is_told_before_anything_is_done(what: str, left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = left.parent / what
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if "/" in what else path.mkdir()
    (left.parent / ".state/mine").touch()
    real = os.access
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setattr(os, "access", lambda each, mode: each != path and real(each, mode))
    with pytest.raises(InputError) as error, lock.held("up", Report(stdout=io.StringIO(), stderr=io.StringIO())):
        pass
    assert f"{what} cannot be written to: it belongs to {path.owner()}, not to you" in str(error.value)
    assert error.value.action == f'sudo chown -R "$(id -un)" {what.partition("/")[0]}'


def test_what_is_ours_or_open_to_us_is_taken(left: Path) -> None:
    (left / "read-only").touch(mode=0o444)
    (left / "link").symlink_to("nowhere")
    with lock.held("up", Report(stdout=io.StringIO(), stderr=io.StringIO())):
        pass


def test_what_another_run_takes_away_meanwhile_is_nobodys(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (left.parent / ".state").mkdir(exist_ok=True)
    gone = left.parent / ".state" / "gone"
    gone.touch()
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        if path == gone:
            path.unlink(missing_ok=True)
        return real(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    machine_trouble.refuse_what_is_anothers()
    assert not gone.exists()

"""Programs that are not there, faked where a process begins: each answers command lines that it was told, and no other.

A reply is a recording of the real program where there is one (`tests/recordings/<program>-<version>/`). A command line that was not told
ends with exit code 97; a reply that nothing asked for fails the test.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.core import paths

RECORDINGS = Path(__file__).parent / "recordings"
UNKNOWN = 97
ANY = "*"

PROGRAM = f"""#!{sys.executable} -I
import fcntl, json, os, sys
home = os.path.dirname(os.path.abspath(__file__))
argv = [os.path.basename(__file__), *sys.argv[1:]]
with open(os.path.join(home, "told.json"), "r+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    told = json.load(file)
    for entry in told:
        if len(entry["argv"]) == len(argv) and all(want in ("{ANY}", got) for want, got in zip(entry["argv"], argv)):
            reply = entry["replies"][min(entry["asked"], len(entry["replies"]) - 1)]
            entry["asked"] += 1
            break
    else:
        reply = {{"code": {UNKNOWN}, "stdout": "", "stderr": "not told: " + " ".join(argv) + "\\n"}}
    file.seek(0)
    file.truncate()
    json.dump(told, file)
    with open(os.path.join(home, "asked.jsonl"), "a") as log:
        sizes = 0 if sys.stdin is None or sys.stdin.isatty() else len(sys.stdin.buffer.read())
        keep = ("KUBECONFIG", "NO_PROXY", "MINIKUBE_IN_STYLE")
        environment = {{key: os.environ[key] for key in keep if key in os.environ}}
        log.write(json.dumps({{"argv": argv, "stdin": sizes, "environment": environment, "code": reply["code"]}}) + "\\n")
sys.stdout.write(reply["stdout"])
sys.stderr.write(reply["stderr"])
sys.exit(reply["code"])
"""


@dataclass(frozen=True)
class Reply:
    """What a program says."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0


def recorded(name: str) -> Reply:
    """Return a recording, by its path under tests/recordings without the `.json`."""
    recording = json.loads((RECORDINGS / f"{name}.json").read_text())
    return Reply(recording["stdout"], recording["stderr"], recording["code"])


class Programs:
    """A folder of fakes that is the whole PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told = folder / "told.json"
        self._told.write_text("[]")

    def tell(self, argv: Sequence[str], *replies: Reply) -> None:
        """Teach a command line and its replies, in their order; the last one repeats. `*` stands for any one word."""
        program = self.folder / argv[0]
        if not program.exists():
            program.write_text(PROGRAM)
            program.chmod(0o755)
        told = json.loads(self._told.read_text())
        told = [entry for entry in told if entry["argv"] != list(argv)]
        told.append({"argv": list(argv), "asked": 0, "replies": [vars(reply) for reply in replies or (Reply(),)]})
        self._told.write_text(json.dumps(told))

    def asked(self, *beginning: str) -> list[dict[str, object]]:
        """Return the calls so far whose command lines begin like this."""
        log = self.folder / "asked.jsonl"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [call for call in calls if tuple(call["argv"][: len(beginning)]) == beginning]

    def check(self) -> None:
        """Fail for a command line that was not told, and for one that was told and never asked."""
        unknown = [" ".join(call["argv"]) for call in self.asked() if call["code"] == UNKNOWN]
        assert not unknown, f"not told: {unknown}"
        idle = [" ".join(entry["argv"]) for entry in json.loads(self._told.read_text()) if not entry["asked"]]
        assert not idle, f"told, but never asked: {idle}"


def on_path(folder: Path, patch: pytest.MonkeyPatch) -> Programs:
    """Make a folder of fakes the only place where programs are found."""
    folder.mkdir(exist_ok=True)
    patch.setenv("PATH", str(folder))
    patch.setattr(paths, "TOOLS", folder)
    patch.delenv("KUBECONFIG", raising=False)
    return Programs(folder)

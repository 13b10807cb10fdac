"""A copy of this checkout with names and ports of its own, so that a test never touches what a developer runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
RELEASE = "todo-chatbot-test"
USUAL = {
    "engine": "auto",
    "namespace": RELEASE,
    "release": RELEASE,
    "services.backend.local_port": "18000",
    "services.frontend.local_port": "13000",
    "kube_context.context": '""',
    "kube_context.images": "auto",
    "kube_context.registry": '""',
    "kube_context.containerd_socket": '""',
    "monitoring.enabled": "true",
}
"""What a test's copy says, whatever the developer's own invoke.yaml says there."""


def _take_interrupts() -> None:
    """A shell that runs the tests in the background has SIGINT ignored, and every child inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Run:
    """How an `invoke` ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def results(self) -> dict[str, str]:
        return {str(e["step"]): str(e["result"]) for e in self.events() if e["event"] == "step_finished"}


@dataclass
class Checkout:
    """A copy of the repository as it is in the work tree, uncommitted changes included."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, path: Path) -> Checkout:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        ).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name, follow_symlinks=False)
        if (ROOT / ".tools").is_dir():
            (path / ".tools").symlink_to(ROOT / ".tools")
        checkout = cls(path)
        for place, value in USUAL.items():
            checkout.set(place, value)
        return checkout

    def set(self, place: str, value: str) -> None:
        """Set one value of invoke.yaml, whatever it says now; all else stays as it is written."""
        text = (self.path / "invoke.yaml").read_text()
        node = yaml.compose(text)
        for key in place.split("."):
            assert isinstance(node, yaml.MappingNode)
            node = next(inner for name, inner in node.value if name.value == key)
        (self.path / "invoke.yaml").write_text(text[: node.start_mark.index] + value + text[node.end_mark.index :])

    def adopt(self, app: Path) -> None:
        """Let it run another app: a copy of the folder beside it, and what its invoke.yaml says over ours."""
        shutil.copytree(app, self.path.parent / app.name)
        over = yaml.safe_load((app / "invoke.yaml").read_text())
        own = yaml.safe_load((self.path / "invoke.yaml").read_text())
        (self.path / "invoke.yaml").write_text(yaml.safe_dump({**own, **over}, sort_keys=False))
        (self.path / ".env.example").write_text("".join(f"{key}=\n" for key in over["env"]))

    def edit(self, name: str, replacements: Mapping[str, str]) -> None:
        text = (self.path / name).read_text()
        for old, new in replacements.items():
            assert old in text, f"{name} does not hold {old!r}"
            text = text.replace(old, new, 1)
        (self.path / name).write_text(text)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        env = {**os.environ, **self.environment, **environment}
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *arguments],
            cwd=self.path,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_take_interrupts,  # noqa: PLW1509 - no thread of ours holds a lock that it needs
        )

    def invoke(self, *arguments: str, timeout: float = 600, **environment: str) -> Run:
        started = time.monotonic()
        process = self.start(*arguments, **environment)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Run(process.returncode, stdout, stderr, time.monotonic() - started)

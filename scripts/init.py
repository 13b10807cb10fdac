"""`invoke init PATH`: makes invoke.yaml and .env.example for the app in a folder (specs/init.md)."""

from __future__ import annotations

import difflib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from invoke import Context, task

from scripts.command import JSON, perform
from scripts.config import settings, text_file
from scripts.config.service_problems import version_problem
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Report
from scripts.discover import folder, text
from scripts.discover.draft import drafted
from scripts.discover.drafted import Draft
from scripts.discover.found import Unknown
from scripts.images.todays_digest import todays_digest
from scripts.program import Lettered, run_command

FILES = ("invoke.yaml", ".env.example")


@task(
    klass=Lettered,
    positional=["path"],
    iterable=["compose"],
    help={
        "path": "the folder of the app",
        "compose": "a compose file of it, instead of the usual one; may be given several times, the later over the earlier",
        "yes": "write without asking",
        "json": JSON,
    },
)
def init(_: Context, path: str, compose: list[str] | None = None, yes: bool = False, json: bool = False) -> None:
    """Write invoke.yaml and .env.example for a folder's app."""
    files = [Path(file) for file in compose or []]
    perform("init", lambda report: work(Path(path), files, report, yes=yes), json=json, changes=True)


def work(path: Path, compose_files: list[Path], report: Report, *, yes: bool) -> None:
    """Look at the app, show what would change, ask, and write. Raises InputError, TaskError."""
    app = path.expanduser().resolve()
    if not app.is_dir():
        raise InputError(f"{path} is not a folder", "name the folder of an app: invoke init ../my-app", code="input-invalid")
    findings = folder.look(app, [_compose_file(app, file) for file in compose_files])
    draft = drafted(findings, ROOT, release=project_name(app.name))
    if not draft.services:
        left_out = [f"{each.about}: {each.what}" for each in draft.unknown]
        raise InputError(f"nothing in {app} is left to deploy", "name the folder of an app", left_out, code="input-invalid")
    _pin_images(draft)
    before = {name: _text(ROOT / name) for name in FILES}
    after = {"invoke.yaml": text.settings(draft, before["invoke.yaml"]), ".env.example": text.env_example(draft, before[".env.example"])}
    report.say(f"read: {', '.join(dict.fromkeys(findings.read))}; services: {', '.join(draft.services)}")
    changed = [name for name in FILES if before[name] != after[name]]
    for name in changed:
        difference = difflib.unified_diff(before[name].splitlines(), after[name].splitlines(), name, name, lineterm="")
        shown = "\n".join(difference)
        report.event("difference", file=name, text=shown)
        report.result(shown)
    if changed and not yes and not report.confirm(f"Write {' and '.join(changed)}?"):
        report.say("nothing was written")
        return
    for name in changed:
        _write(ROOT / name, after[name])
    _tell(draft, after["invoke.yaml"], report)
    report.say(f"wrote {' and '.join(changed)}; next: invoke doctor" if changed else "nothing changed; next: invoke doctor")


def _pin_images(draft: Draft) -> None:
    """Let images whose name may mean another tomorrow be those of today, where Docker or their registry tells which those are."""
    loose = {name: values["image"] for name, values in draft.services.items() if version_problem(values.get("image", ""))}
    with ThreadPoolExecutor() as asking:
        for (name, image), digest in zip(loose.items(), asking.map(todays_digest, loose.values()), strict=True):
            if digest:
                draft.services[name]["image"] = f"{image}@{digest}"
                draft.reasons[name, "image"] = f"`{image}` may mean another image tomorrow; this is today's"


def project_name(name: str) -> str:
    """Return a name that a project, a namespace and a release can have, made of a folder's."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:36].strip("-") or "app"


def _compose_file(app: Path, file: Path) -> Path:
    return file if file.is_absolute() or file.is_file() else app / file


def _text(path: Path) -> str:
    return text_file.read_text(path, InputError("")) if path.exists() else ""


def _write(path: Path, content: str) -> None:
    """Let a file have this content: all of it, or what it had."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TaskError(f"{path} cannot be written: {error.strerror}", f"make {path.parent} writable for your user") from None


def _tell(draft: Draft, settings_text: str, report: Report) -> None:
    """Tell what could not be known, and what the settings still lack."""
    unknown = list(draft.unknown)
    try:
        settings.parse_settings(settings_text)
    except InputError as error:
        unknown += [Unknown("invoke.yaml", problem) for problem in error.evidence or [error.cause.removeprefix("invoke.yaml: ")]]
    if os.path.lexists(ROOT / ".env"):
        unknown.append(Unknown(".env", "already exists: `invoke doctor` names the keys in it that this app does not have"))
    if unknown:
        report.say("What could not be known:")
        report.table(("about", "what"), [(each.about, each.what) for each in unknown], "unknown")


if __name__ == "__main__":
    run_command()

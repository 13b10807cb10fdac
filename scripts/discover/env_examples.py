"""Examples of `.env` files: their keys, what is said of each, and their values. Of real ones, which Git does not have, the names alone."""

from __future__ import annotations

import io
import re
from pathlib import Path

from dotenv.parser import parse_stream

from scripts.config.text_file import text_if_any
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.discover.found import EnvKey

EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.local.example", "env.example", "example.env")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_DISABLED = re.compile(r"[A-Za-z_]\w*\s*=")
_LINE = re.compile(r"#*\s*[-=#*_]{3,}\s*")


def parse(text: str) -> list[EnvKey]:
    """Return the keys in the text of an example, each with the comment above it or behind it."""
    found: dict[str, EnvKey] = {}
    comment: list[str] = []
    for binding in parse_stream(io.StringIO(text.removeprefix("\ufeff").replace("\r\n", "\n"))):
        for line in binding.original.string.splitlines():
            said = line.strip()
            if said and _LINE.fullmatch(said):
                comment = []  # under a heading
            elif said.startswith("#"):
                comment.append(said.lstrip("#").strip())
            elif not said:
                comment = []
        if binding.key and _NAME.fullmatch(binding.key):
            behind = re.search(r"\s#\s*(.+)$", binding.original.string.rstrip())
            said = " ".join(part for part in comment if part and not _DISABLED.match(part))
            found.setdefault(binding.key, EnvKey(binding.key, binding.value or "", said or (behind[1].strip() if behind else "")))
            comment = []
    return list(found.values())


def beside(folder: Path, name: str = ".env") -> list[EnvKey]:
    """Return the keys of the examples in a folder, and those that the file `name` there has beside them.

    Its values too where it is an example itself, or Git has it, so that everybody can read them.
    """
    found: dict[str, EnvKey] = {}
    for each in dict.fromkeys((f"{name}.example", f"{name}.sample", *EXAMPLES)):
        for key in parse(text_if_any(folder / each)):
            found.setdefault(key.name, key)
    if others := parse(text_if_any(folder / name)):
        is_public = re.search("example|sample|template|dist", name) or _git_has(folder / name)
        for key in others:
            found.setdefault(key.name, key if is_public else EnvKey(key.name, "", key.comment))
    return list(found.values())


def _git_has(path: Path) -> bool:
    try:
        # A repository's own configuration may name a program to ask for changes, and nothing of a stranger's is run.
        argv = ["git", "-c", "core.fsmonitor=false", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
        return shell.run(argv, timeout=10, ok=None, logged=False).code == 0
    except TaskError:
        return False

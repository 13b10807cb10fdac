"""What sources tell: the routes that answer how the program is, and the names of the environment that it reads."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SKIPPED = {
    *("node_modules", "venv", "env", "site-packages", "__pycache__", "dist", "build", "out", "target", "vendor", "coverage", "tests"),
    *("test", "__tests__", "e2e", "alembic", "migrations", "docs", "examples"),
}
"""Folders that hold no sources of the program itself."""
MOST_FILES, LARGEST = 600, 300_000
_ROUTE = re.compile(r"\b(?:app|application|api|server)\.(?:get|route|api_route)\(\s*[\"'](/[^\"'\s]{0,60})[\"']")
_HEALTH = re.compile(r"/(api/)?(v1/)?(_?health(z|-check)?|readyz?|ready|readiness|livez?|liveness|ping|status)/?")
_READY = re.compile(r"read(y|iness)")
_FILE_ROUTE = re.compile(r"(?:^|/)(?:src/)?(?:app/(api/\w+)/route|pages/(api/\w+))\.[jt]sx?$")
_NAMES = (
    (re.compile(r"os\.(?:getenv|environ\.get)\(\s*[\"']([A-Z][A-Z0-9_]*)[\"']"), False),
    (re.compile(r"os\.environ\[\s*[\"']([A-Z][A-Z0-9_]*)[\"']\s*\](?!\s*=[^=])"), True),
    (re.compile(r"process\.env\.([A-Z][A-Z0-9_]*)"), False),
    (re.compile(r"import\.meta\.env\.(VITE_[A-Z0-9_]*)"), False),
)
_MIGRATES = re.compile(r"\balembic(\.config|\.command| import command)\b")
_CLIENT = re.compile(r"\b(?:Async)?(OpenAI|Anthropic|Groq)\(\s*(?:\)|api_key\s*=\s*os\.(?:getenv|environ\.get)\(\s*[\"'](\w+)[\"']\s*\))")
"""A client that gets no key ends the program."""
_GIVEN = {
    *("NODE_ENV", "PORT", "HOST", "HOSTNAME", "PATH", "HOME", "PWD", "CI", "TZ", "VERCEL", "VERCEL_URL", "NEXT_RUNTIME", "ANALYZE"),
    *("PUBLIC_URL", "PYTHON_VERSION", "NODE_VERSION", "YARN_VERSION"),  # by Create React App, and by the base images
}


@dataclass
class Code:
    """What the sources of one program tell."""

    live: str = ""
    ready: str = ""
    metrics: str = ""
    names: dict[str, bool] = field(default_factory=dict)
    """The names that it reads, and whether it ends without each."""
    migrates: bool = False
    """Whether it runs the migrations of Alembic itself."""


def read(folder: Path) -> Code:
    """Return what the sources below a folder tell. What cannot be read is passed over."""
    found, routes = Code(), []
    for path in _sources(folder):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found.migrates = found.migrates or bool(_MIGRATES.search(text))
        relative = path.relative_to(folder).as_posix()
        routes += _ROUTE.findall(text)
        if match := _FILE_ROUTE.search(relative):
            routes.append(f"/{match[1] or match[2]}")
        for name, needed in _names(text, python=path.suffix == ".py"):
            if name not in _GIVEN:
                found.names[name] = found.names.get(name, False) or needed
    told = [route for route in dict.fromkeys(routes) if _HEALTH.fullmatch(route)]
    ready = [route for route in told if _READY.search(route)]
    live = sorted((route for route in told if route not in ready), key=lambda route: (not re.search("health|live", route), len(route)))
    found.live, found.ready = (live or ready or [""])[0], (ready or live or [""])[0]
    found.metrics = "/metrics" if "/metrics" in routes else ""
    return found


def _sources(folder: Path) -> Iterator[Path]:
    count = 0
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(files):
            path = Path(here, name)
            if path.suffix in (".py", ".js", ".ts", ".tsx", ".jsx", ".mjs") and not path.is_symlink() and path.stat().st_size < LARGEST:
                count += 1
                if count > MOST_FILES:
                    return
                yield path


def _names(text: str, *, python: bool) -> Iterator[tuple[str, bool]]:
    for pattern, needed in _NAMES:
        yield from ((name, needed) for name in pattern.findall(text))
    yield from ((name or f"{client.upper()}_API_KEY", True) for client, name in _CLIENT.findall(text))
    if python and "BaseSettings" in text:
        yield from _of_settings_classes(text)


def _of_settings_classes(text: str) -> Iterator[tuple[str, bool]]:
    """The fields of pydantic's settings: their names in upper case are what it reads."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("BaseSettings" in ast.unparse(base) for base in node.bases):
            prefix = re.search(r"env_prefix['\"]?\s*[:=]\s*['\"](\w*)['\"]", ast.unparse(node))
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id != "model_config":
                    yield f"{prefix[1] if prefix else ''}{part.target.id}".upper(), part.value is None or _is_required(part.value)


def _is_required(value: ast.expr) -> bool:
    """`Field(...)`, or a `Field` that names neither a default nor a factory."""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func).endswith("Field")):
        return False
    first = value.args[0] if value.args else None
    if isinstance(first, ast.Constant) and first.value is ...:
        return True
    return first is None and not any(keyword.arg in ("default", "default_factory") for keyword in value.keywords)

"""What kind of program lies in a folder: by package.json, requirements and pyproject.toml."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.config import text_file
from scripts.core.errors import InputError
from scripts.core.nested import at
from scripts.discover.found import mapping, number, words

PAGES = {"next": 3000, "nuxt": 3000, "vite": 4173, "react-scripts": 3000, "@angular/core": 4200, "astro": 4321, "@sveltejs/kit": 3000}
"""Packages of Node.js that serve a page, the more telling first, and the port that each takes."""
PYTHON_PAGES = {"streamlit": 8501, "gradio": 7860, "chainlit": 8000}
PYTHON_PORTS = {"fastapi": 8000, "uvicorn": 8000, "django": 8000, "flask": 5000}
METRICS = ("prometheus-fastapi-instrumentator", "starlette-exporter", "prometheus-flask-exporter")
CALL_OUT = re.compile(r"openai|google-gen|anthropic|groq|cohere|mistralai|langchain|litellm|@google/gen|stripe|resend|boto3|@aws-sdk")
"""Packages that speak to somebody else's API."""
HEAVY = re.compile(r"torch|transformers|sentence-transformers|chromadb|langchain|tensorflow|pandas|scikit-learn")
"""Packages that fill more memory than the chart's default allows."""
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_PORT = re.compile(r"(?:--port|--server\.port|-p|-b|--bind|PORT=)[= ]?\s*['\"]?(?:[\w.]*:)?(\d{2,5})\b")


@dataclass(frozen=True)
class Project:
    """The program in a folder."""

    packages: frozenset[str] = frozenset()
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Those of package.json."""
    problems: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The framework, where it serves a page for a browser."""
        return next((name for name in (*PAGES, *PYTHON_PAGES) if name in self.packages), "")

    @property
    def usual_port(self) -> int:
        """The port that its framework takes."""
        known = PAGES | PYTHON_PAGES | PYTHON_PORTS
        return next((port for name, port in known.items() if name in self.packages), 0)

    @property
    def metrics(self) -> str:
        """The package that shows metrics at /metrics, where it has one."""
        return next((name for name in METRICS if name in self.packages), "")

    @property
    def calls_out(self) -> bool:
        """Whether it speaks to somebody else's API."""
        return any(CALL_OUT.match(name) for name in self.packages)

    @property
    def heavy(self) -> str:
        """A package of it that needs much memory, where it has one."""
        return next((name for name in sorted(self.packages) if HEAVY.match(name)), "")

    @property
    def has_postgres_driver(self) -> bool:
        """Whether it can speak to Postgres."""
        return any(re.match(r"asyncpg|psycopg|pg$|postgres$|@prisma/client|@neondatabase", name) for name in self.packages)


def port_in(command: str) -> int:
    """Return the port that a command line names; 0 where it names none."""
    match = _PORT.search(command)
    return number(match[1]) if match else 0


def read(folder: Path) -> Project:
    """Return the program in a folder; what cannot be read is a problem of it."""
    packages: set[str] = set()
    problems: list[str] = []
    scripts: dict[str, str] = {}
    for path in sorted([folder / "package.json", folder / "pyproject.toml", *folder.glob("requirements*.txt")]):
        try:
            text = text_file.read_text(path, InputError("")) if path.is_file() else ""
            if path.name == "package.json" and text:
                found = mapping(json.loads(text))
                scripts = {name: words(line) for name, line in mapping(found.get("scripts")).items()}
                packages |= {*mapping(found.get("dependencies")), *mapping(found.get("devDependencies"))}
            elif path.name == "pyproject.toml" and text:
                packages |= _pyproject(tomllib.loads(text))
            else:
                packages |= {_normal(match[1]) for line in text.splitlines() if (match := _REQUIREMENT.match(line))}
        except (InputError, OSError, ValueError, RecursionError) as error:
            problems.append(f"{path.name} cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
    return Project(frozenset(packages), scripts, tuple(problems))


def _pyproject(read: dict[str, Any]) -> set[str]:
    project = at(read, "project", "dependencies")
    listed = [words(line) for line in project] if isinstance(project, list) else []
    poetry = mapping(at(read, "tool", "poetry", "dependencies"))
    return {_normal(match[1]) for line in [*listed, *poetry] if (match := _REQUIREMENT.match(line))}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

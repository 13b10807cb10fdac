"""Small made-up apps: a folder of files, and what `init` makes of it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from scripts.discover import folder
from scripts.discover.draft import drafted
from scripts.discover.drafted import Draft

API = """\
    FROM python:3.12-slim
    WORKDIR /app
    COPY . .
    RUN useradd app
    USER app
    EXPOSE 8000
    CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]
    """
PAGE = """\
    FROM node:22-alpine AS builder
    WORKDIR /app
    ARG NEXT_PUBLIC_API_URL
    ENV NEXT_PUBLIC_API_URL=$NEXT_PUBLIC_API_URL
    RUN npm run build

    FROM node:22-alpine
    WORKDIR /app
    USER node
    EXPOSE 3000
    CMD ["node", "server.js"]
    """
NEXT = '{"dependencies": {"next": "15.0.0"}, "scripts": {"start": "next start"}}'


def make_files(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    return root


def draft_of(root: Path, files: dict[str, str]) -> Draft:
    return drafted(folder.look(make_files(root, files)), root, release="shop")


def services_of(root: Path, files: dict[str, str]) -> dict[str, dict[str, Any]]:
    return draft_of(root, files).services


def told(draft: Draft) -> str:
    return "\n".join(f"{each.about}: {each.what}" for each in draft.unknown)

"""What an assistant gets to read holds no secret: neither one of `.env`, nor what looks like one."""

from __future__ import annotations

import re

from scripts.config import env_file
from scripts.core.paths import ROOT
from scripts.core.redaction import MASK, redact

ENV = ROOT / ".env"
PATTERNS = (
    re.compile(r"(?<=://)[^\s/@:\"']*:[^\s/@\"']+(?=@)"),  # user and password of a URL
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # a JWT, such as a ServiceAccount's token
    re.compile(r"\bAIza[\w-]{20,}"),  # Google's API keys
    re.compile(r"\bsk-[\w-]{16,}"),  # OpenAI's and those of its kind
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
)


def learn_env() -> None:
    """Let the redactor know every value that `.env` has now, whether it is a valid file or not; one that is not there has none."""
    try:
        text = ENV.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    redact.learn(*env_file.parse(text).values.values())


def private(text: str) -> str:
    """Return the text with all secrets masked that the redactor knows, and all that look like one. JSON stays JSON."""
    text = redact(text)
    for pattern in PATTERNS:
        text = pattern.sub(MASK, text)
    return text

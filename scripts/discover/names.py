"""What the name of a variable tells: whether its value is a secret, whose it is, and who reads it."""

from __future__ import annotations

import re

BROWSER = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "NUXT_PUBLIC_", "PUBLIC_", "GATSBY_")
"""Prefixes of what is built into a page: no secret can be behind them."""
_SECRET_ENDS = {
    *("KEY", "KEYS", "TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "CREDENTIAL", "CREDENTIALS"),
    *("DSN", "SALT"),
}
_SECRET_WORDS = {"SECRET", "PASSWORD", "PASSWD"}
_PLAIN_ENDS = {
    *("MINUTES", "SECONDS", "HOURS", "DAYS", "TTL", "EXPIRY", "EXPIRES", "EXPIRATION", "ALGORITHM", "LENGTH", "MIN", "MAX", "ENABLED"),
    *("FILE", "PATH", "NAME", "COUNT", "LIMIT", "TYPE", "PREFIX", "HEADER", "URL", "IN", "ROUNDS"),
}
_OTHERS = frozenset(
    re.findall(
        r"\w+",
        "OPENAI GEMINI GOOGLE ANTHROPIC CLAUDE COHERE GROQ OPENROUTER RESEND STRIPE AWS AZURE TWILIO SENDGRID GITHUB GITLAB SLACK SENTRY "
        "SMTP EMAIL MAIL QWEN HF HUGGINGFACE PINECONE SUPABASE CLOUDINARY NEON TELEGRAM DEEPSEEK MISTRAL TAVILY LANGCHAIN LANGSMITH SERPER "
        "XAI FACEBOOK DISCORD LINKEDIN TWITTER VERCEL FIREBASE CLERK MAILGUN POSTHOG DATADOG CLIENT CLOUDFLARE REPLICATE "
        "ELEVENLABS BREVO LITELLM",
    )
)
"""Whose keys come from an account somewhere else."""
_OWN = {"JWT", "SESSION", "AUTH", "COOKIE", "CSRF", "SIGNING", "INTERNAL", "SERVICE", "SECRET", "APP", "NEXTAUTH", "HASH", "SALT"}
_FORMED = {"ENCRYPTION", "FERNET", "AES", "PRIVATE", "PEM", "CERT", "VAPID"}
"""Keys that have to have a form which random characters do not have."""
_DATABASE = re.compile(r"(^|_)(DATABASE|DB|POSTGRES|POSTGRESQL|PG|NEON)(_\w+)?_(URL|URI|DSN)$|^(DATABASE|POSTGRES|DB)_?(URL|URI)\w*$")
_BROWSER_FACING = re.compile(r"CORS|ORIGIN|FRONTEND|CLIENT_URL|REDIRECT|CALLBACK|APP_URL|SITE_URL|BASE_URL$|AUTH_URL|WEB_URL|DOMAIN|PUBLIC")
_PAGES = {"page", "web", "website", "site", "frontend", "front", "ui", "client", "dashboard", "portal"}
_HOST = re.compile(r"(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|ENDPOINT|BROKERS?|SERVERS|URL|URI|NODES?)$")


def _words(name: str) -> list[str]:
    return name.upper().split("_")


def key_name(name: str) -> str:
    """Return the name as a key of `.env` can have it."""
    return re.sub(r"[^A-Z0-9_]", "_", name.upper()).lstrip("_0123456789") or "KEY"


def for_browser(name: str) -> bool:
    """Return whether a page is built with it."""
    return name.startswith(BROWSER)


def secret(name: str) -> bool:
    """Return whether its value is nobody's business."""
    found = _words(name)
    if for_browser(name) or found[-1] in _PLAIN_ENDS:
        return False
    return found[-1] in _SECRET_ENDS or bool(_SECRET_WORDS & set(found)) or name.upper().endswith("APIKEY")


def database_url(name: str) -> bool:
    """Return whether it is the URL of a database."""
    return bool(_DATABASE.search(name.upper())) and not for_browser(name)


def of_others(name: str) -> bool:
    """Return whether the key is one of an account somewhere else."""
    found = set(_words(name))
    return bool(found & _OTHERS) or (name.upper().endswith(("API_KEY", "APIKEY")) and not found & _OWN)


def can_be_generated(name: str) -> bool:
    """Return whether any strong value does, since the app itself is the only one who has to know it."""
    found = set(_words(name))
    if of_others(name) or found & _FORMED:
        return False
    return bool(found & _OWN) or _words(name)[-1] in ("PASSWORD", "PASSWD", "PASS", "PWD", "SECRET")


def needs_a_form(name: str) -> bool:
    """Return whether the key has to have a form that random characters do not have."""
    return bool(set(_words(name)) & _FORMED)


def faces_the_browser(name: str) -> bool:
    """Return whether an address in it is one that a browser calls."""
    return for_browser(name) or bool(_BROWSER_FACING.search(name.upper()))


def of_a_page(service: str) -> bool:
    """Return whether a service is called as those are that people look at."""
    return bool(set(re.split(r"[^a-z]+", service.lower())) & _PAGES)


def of_a_host(name: str) -> bool:
    """Return whether a bare word in it may be the name of a machine."""
    return bool(_HOST.search(name.upper()))

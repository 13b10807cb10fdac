"""Recognises the sample values of `.env.example` files, which people forget to replace."""

from __future__ import annotations

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORDS = re.compile(r"[A-Za-z]+|[0-9]+")
_CREDENTIALS = _set("key keys apikey token secret password passwd passphrase pass pwd credential credentials")
_NOUNS = _CREDENTIALS | _set(
    "api user username userid db database dbname host hostname url uri dsn id name value string project account email domain region "
    "endpoint ref org organization workspace webhook client string text uuid instance cluster"
)
_MARKERS = _set(
    "your yours here changeme change changethis replace replaceme insert enter paste put placeholder example sample dummy fake todo tbd "
    "fixme redacted goes some random optional required demo insecure"
)
"""What is made of known words alone is a sample when one of these, or a word for a credential, is among them."""
_FILLERS = _set(
    "a an the to with in on at of or and for from by is it this that me my own new real actual long strong secure super very not "
    "please must be set use generate generated add fill min minimum least characters chars character bit bits bytes openssl rand hex "
    "base64 jwt auth access refresh session signing encryption private public service role anon admin root app application login "
    "production prod development dev staging local sk pk proj ant test live openai gemini google aiza anthropic claude stripe supabase "
    "neon aws azure github gitlab postgres postgresql pg redis mongo mongodb mysql smtp mail grafana prometheus "
    "connection testing base django gsk resend"
)
_KNOWN_WORDS = _NOUNS | _MARKERS | _FILLERS

_WHOLE = re.compile(
    r"<[^<>\"=]*>|\[[A-Za-z _./-]+\]|\{+[A-Za-z _./-]+\}+|%[A-Za-z_ ]+%|__.+__"  # brackets around the name of what is wanted
    r"|[A-Za-z0-9_-]{0,24}(\.{3,}|…+)[A-Za-z0-9]{0,6}"  # sk-...
    r"|your[a-z]*(key|token|secret|password|pass|user|username|url|id|database|db|host|project)(here)?",
    re.IGNORECASE | re.DOTALL,
)
_AS_A_SECRET = re.compile(
    r"none|null|nil|undefined|n/?a|foo|bar|baz|foobar|(not[-_ ]?|un)set|keyboard ?cat"
    r"|(this[-_ ]?is[-_ ]?)?(an?|my|the|our)?[-_ ]?((very|super|top)[-_ ]?)*(secret|password|token|key)([-_ ]?(password|key|token|phrase))?"
    r"|(sk|pk|gsk|key|token)[-_](test|demo)|.*https?://.*",
    re.IGNORECASE | re.DOTALL,
)
_BEGIN = re.compile(r"(change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|with)|your[-_ ]|\[your|<your)", re.IGNORECASE)
_A_NOUN = f"({'|'.join(sorted(_NOUNS))})"
_YOUR = re.compile(rf"(^|[^a-z])your[-_ ](.*[-_ ])?{_A_NOUN}s?$", re.IGNORECASE)
_HERE = re.compile(rf"(^|[-_ ]){_A_NOUN}[-_ ](goes[-_ ])?here$", re.IGNORECASE)
_FILLED = re.compile(
    r"(?<![a-z0-9])x{3,}(?![a-z0-9])(?=.{0,20}$)|(?<![a-z0-9])x{4,}(?![a-z0-9])|x{6,}|[*•]{4,}|^[*•]{3}$|12345678|87654321",
    re.IGNORECASE,
)
_ENDS = re.compile(r"(EXAMPLE|DUMMY|PLACEHOLDER|CHANGEME)(_?KEY)?$")  # AKIAIOSFODNN7EXAMPLE
_ONE_CHARACTER = re.compile(r"(.)\1{7,}", re.DOTALL)
_SHELL = re.compile(r"\$\(.+\)|`.+`|\$\{\w+\}|\$[A-Z][A-Z0-9_]+", re.DOTALL)

_SAMPLES = {
    "user": _set("user username dbuser db_user myuser usr johndoe"),
    "password": _set("password pass passwd pwd secret mypassword dbpassword db_password db_pass randompassword abc123def"),
    "host": _set("host hostname db_host dbhost server endpoint"),
    "database": _set("db dbname db_name database database_name mydb mydatabase"),
}
_MANAGED = (".neon.tech", ".supabase.co", ".supabase.com")
"""Services that make the passwords themselves: there, `password` is a sample."""


def is_placeholder(value: str, key: str = "") -> bool:
    """Return whether `value`, of `key`, is a sample that stands for a real value."""
    text = value.strip()
    if _has_form(text) or (key and _plain(text) == _plain(key)):
        return True
    return _keeps_a_secret(key) and bool(_AS_A_SECRET.fullmatch(text) or _is_made_of_words(text))


def is_shell(value: str) -> bool:
    """Return whether `value` is a shell's command or variable as a whole: nothing runs or fills it in here."""
    return bool(_SHELL.fullmatch(value.strip()))


def variable_in(url: str) -> bool:
    """Return whether a part of a URL is a variable that a shell or docker compose would fill in."""
    return bool(re.search(r"\$\{\w+\}|\$\(|[/:@]\$[A-Z][A-Z0-9_]+(?=[:@/?]|$)", url))


def placeholder_in_url(url: str) -> str:
    """Return which part of a database URL is a sample, in words; an empty string when none is."""
    scheme, separator, rest = url.partition("://")
    if "@" not in url and (not separator or scheme.lower().startswith("postgres")) and is_placeholder(rest or url):
        return "the URL"
    parts = _parts(url)
    for name, part in parts.items():
        pieces = [part, *part.split(".")] if name == "host" else [part]
        if any(_has_form(piece) or _has_bracketed_words(piece) for piece in pieces) and not part.endswith(
            ".your-server.de"
        ):  # a provider's real domain
            return f"the {name}"
    usual = [name for name, part in parts.items() if part.lower() in _SAMPLES[name]]
    if "password" in usual and parts.get("host", "").endswith(_MANAGED):
        return "the password"
    if {"user", "password"} <= set(usual) or ("host" in usual and len(usual) > 1):
        return " and ".join(f"the {name}" for name in usual)
    return ""


def _parts(url: str) -> dict[str, str]:
    """Take a URL apart loosely: a placeholder is often what makes it malformed."""
    before, at, after = url.partition("://")[2].rpartition("@")
    user, _, password = before.partition(":")
    authority, _, rest = after.partition("/")
    host = authority.partition(":")[0] if not authority.startswith("[") else authority
    found = {"user": user if at else "", "password": password, "host": host, "database": rest.partition("?")[0]}
    return {name: part for name, part in found.items() if part}


def _has_form(text: str) -> bool:
    if _WHOLE.fullmatch(text) or _BEGIN.match(text) or _YOUR.search(text) or _HERE.search(text):
        return True
    return bool(_FILLED.search(text) or _ENDS.search(text) or _ONE_CHARACTER.fullmatch(text))


def _has_bracketed_words(text: str) -> bool:
    """`postgres.[project-ref]`: brackets around words that name what is wanted, anywhere."""
    return any(_words(found) and _words(found) <= _KNOWN_WORDS for found in re.findall(r"\[[A-Za-z_ -]+\]|<[A-Za-z_ -]+>", text))


def _is_made_of_words(text: str) -> bool:
    """`secret-key`, `dummy token`, `password`: words for a secret or for a sample, and nothing that could be one."""
    words = _words(text)
    return bool(words & (_CREDENTIALS | _MARKERS)) and words <= _KNOWN_WORDS


def _keeps_a_secret(key: str) -> bool:
    """A word such as `none` or `todo` is a fine value of other keys: of the database's name, of a mode."""
    if key.lower().endswith(("url", "uri", "endpoint")):
        return False
    return not key or any(word in key.lower() for word in ("key", "token", "secret", "pass", "pwd", "credential"))


def _words(text: str) -> set[str]:
    """The words of a text that is made of words, numbers between them left out; nothing where letters and digits mix, as in a real key."""
    if re.search(r"[A-Za-z][0-9]|[0-9][A-Za-z]", text.replace("base64", "")):
        return set()
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {word.lower() for word in _WORDS.findall(spaced) if not word.isdigit()}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())

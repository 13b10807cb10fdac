"""When the certificates of the app's databases end, as their servers show them to this machine."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from scripts.config.database_url import PORT, DatabaseUrl
from scripts.core.errors import InputError
from scripts.desired.database_reach import databases
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.project import Project

SECONDS = 3.0
SOON = timedelta(days=14)
VERIFIED = ("verify-ca", "verify-full")
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""What a client sends before TLS (PostgreSQL's protocol, "SSLRequest"); the server answers S where it speaks TLS."""
VALIDITY = re.compile(rb"\x30.(?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d(?P<short>\d{12})Z|\x18\x0f(?P<long>\d{14})Z)", re.DOTALL)
"""Two times in a sequence, as X.509 encodes them: from and until."""


def ends(project: Project) -> Iterator[tuple[str, DatabaseUrl, datetime]]:
    """Yield the key of each database that is verified and that this machine sees, its URL, and when its certificate ends.

    Raises InputError for a `.env` that is wrong.
    """
    for key, url in databases(project.settings, project.env):
        if url.ssl_mode in VERIFIED and (ends_at := end(url.host, url.port or PORT)):
            yield key, url, ends_at


def expiring(project: Project) -> Iterator[Diagnosis]:
    """Yield what is wrong with the certificates of databases that are verified; what this machine cannot see is not."""
    with contextlib.suppress(InputError):  # what is wrong with .env, `up` and `doctor` tell
        for key, url, ends_at in ends(project):
            if (left := ends_at - datetime.now(UTC)) < SOON:
                users = ", ".join(name for name, service in project.settings.services.items() if key in service.env_keys)
                when = "has expired" if left < timedelta() else f"ends in {left.days} days"
                evidence = (f"{key} asks for {url.ssl_mode}; its server shows a certificate until {ends_at:%Y-%m-%d %H:%M} UTC",)
                cause = f"{users}: the certificate of the database of {key} {when}"
                yield Diagnosis("database-certificate", users, cause, evidence, "renew it on the database's server")


def end(host: str, port: int) -> datetime | None:
    """Return when the server's certificate ends; None where it shows none, or this machine cannot reach it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is only read, and an expired one would not be shown
    try:
        with socket.create_connection((host, port), SECONDS) as plain:
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                return None
            with context.wrap_socket(plain, server_hostname=host) as tls:
                return end_of(tls.getpeercert(binary_form=True) or b"")
    except (OSError, UnicodeError):
        return None


def end_of(certificate: bytes) -> datetime | None:
    """Return when a certificate (DER) ends."""
    told = VALIDITY.search(certificate)
    if not told:
        return None
    year = "%y" if told["short"] else "%Y"
    return datetime.strptime((told["short"] or told["long"]).decode(), f"{year}%m%d%H%M%S").replace(tzinfo=UTC)

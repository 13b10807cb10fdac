"""When the certificate of a Postgres ends, as its server shows it to this machine."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import UTC, datetime

SECONDS = 3.0
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""What a client sends before TLS (PostgreSQL's protocol, "SSLRequest"); the server answers S where it speaks TLS."""
VALIDITY = re.compile(rb"\x30.(?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d(?P<short>\d{12})Z|\x18\x0f(?P<long>\d{14})Z)", re.DOTALL)
"""Two times in a sequence, as X.509 encodes them: from and until."""


def ends(host: str, port: int) -> datetime | None:
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

"""The end of a database's certificate is read from a server that speaks Postgres' way into TLS; whatever else answers has none."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.config.database_url import parse
from scripts.config.services import Service
from scripts.database import certificate

pytestmark = pytest.mark.unit
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


@pytest.fixture(scope="module")
def key_and_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that ends within a day, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=db"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(path)], check=True, capture_output=True)
    path.write_text(key.read_text() + path.read_text())
    return path


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on this machine that hands its one connection to a function; yields its port."""

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def speaks_tls(key_and_certificate: Path) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        assert connection.recv(8) == certificate.SSL_REQUEST
        connection.sendall(b"S")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key_and_certificate)
        context.wrap_socket(connection, server_side=True).close()

    return answer


@needs_openssl
def test_the_end_of_the_certificate_that_the_server_shows_is_told(key_and_certificate: Path) -> None:
    with server(speaks_tls(key_and_certificate)) as port:
        end = certificate.end("127.0.0.1", port)
    assert end is not None
    assert 0 < (end - datetime.now(UTC)).total_seconds() < 2 * 86_400


def test_a_server_without_tls_and_nobody_at_all_show_none() -> None:
    with server(lambda connection: connection.sendall(b"N")) as port:
        assert certificate.end("127.0.0.1", port) is None
    assert certificate.end("127.0.0.1", port) is None


def test_both_ways_to_write_a_time_are_read() -> None:
    assert certificate.end_of(b"\x30\x1e\x17\x0d250101000000Z\x17\x0d260102030405Z") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    long = b"\x30\x22\x18\x0f20500101000000Z\x18\x0f20600102030405Z"
    assert certificate.end_of(long) == datetime(2060, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert certificate.end_of(b"") is None


@pytest.mark.parametrize(
    ("mode", "left", "told"),
    [
        ("verify-full", timedelta(days=3, hours=1), ["backend: the certificate of the database of DATABASE_URL ends in 3 days"]),
        ("verify-ca", -timedelta(days=1), ["backend: the certificate of the database of DATABASE_URL has expired"]),
        ("verify-full", timedelta(days=60), []),
        ("require", -timedelta(days=1), []),
    ],
)
def test_a_database_is_told_of_where_its_certificate_is_verified_and_ends(
    mode: str, left: timedelta, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = parse(f"postgresql://todo:x@db.example.com/todo?sslmode={mode}")
    monkeypatch.setattr(certificate, "databases", lambda *_: [("DATABASE_URL", url)])
    monkeypatch.setattr(certificate, "end", lambda *_: datetime.now(UTC) + left)
    services = {"backend": Service(secrets=[{"URL": "DATABASE_URL"}]), "frontend": Service()}
    found = list(certificate.expiring(SimpleNamespace(settings=SimpleNamespace(services=services), env=None)))  # type: ignore[arg-type]
    assert [d.cause for d in found] == told

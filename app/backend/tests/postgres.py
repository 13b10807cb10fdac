"""A throw-away PostgreSQL with TLS, and a PgBouncer in front of it, from the distribution's packages."""

import datetime as dt
import ipaddress
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "p@ss/w:rd%"
QUOTED_PASSWORD = "p%40ss%2Fw%3Ard%25"


def find_postgres() -> Path | None:
    """The newest installation of the server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _server_user() -> dict[str, object]:
    """PostgreSQL refuses to run as root; give it the user that its package made."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def make_certificate(directory: Path, name: str = "localhost") -> None:
    """Write a certificate authority (root.crt) and a server certificate (server.crt, server.key) for `name`."""
    now = dt.datetime.now(dt.UTC)

    def subject(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def build(common: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject(common))
            .issuer_name(subject(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=2))
        )

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        build("test root", "test root", root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(root_id, critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(root_key, hashes.SHA256())
    )  # fmt: skip
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = (
        build(name, "test root", key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "root.crt").write_bytes(root.public_bytes(pem))
    (directory / "server.crt").write_bytes(server.public_bytes(pem))
    (directory / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (directory / "server.key").chmod(0o600)


class Postgres:
    """One server on a free port of 127.0.0.1, with TLS, user `todo` and a password."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self.directory = directory
        self.port = free_port()
        self.root_certificate = directory / "root.crt"
        make_certificate(directory)
        (directory / "password").write_text(PASSWORD)
        if as_user := _server_user():
            for path in (directory, *directory.iterdir()):
                os.chown(path, as_user["user"], as_user["group"])
        self._run("initdb", "-D", "data", "-U", "todo", "-A", "scram-sha-256", "--pwfile=password", "-E", "UTF8",
                  "--locale=C.UTF-8", "-N")  # fmt: skip
        settings = {
            "port": self.port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": f"'{directory}'",
            "ssl": "on", "ssl_cert_file": f"'{directory}/server.crt'", "ssl_key_file": f"'{directory}/server.key'",
            "fsync": "off", "max_connections": 60, "autovacuum": "off",
            "dynamic_shared_memory_type": "mmap",  # /dev/shm may be cleaned under us when a login session ends
        }  # fmt: skip
        with (directory / "data/postgresql.conf").open("a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments], cwd=self.directory, check=True, timeout=120,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **_server_user(),
        )  # fmt: skip

    def start(self) -> None:
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "60", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def url(self, database: str, parameters: str = "sslmode=require", port: int | None = None) -> str:
        return f"postgresql://todo:{QUOTED_PASSWORD}@127.0.0.1:{port or self.port}/{database}?{parameters}"


class PgBouncer:
    """A transaction pooler in front of a server, with several server connections to be handed around."""

    def __init__(self, program: str, server: Postgres, directory: Path) -> None:
        self.port = free_port()
        (directory / "users").write_text(f'"todo" "{PASSWORD}"\n')
        (directory / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {directory}/users\npool_mode = transaction\n"
            f"default_pool_size = 4\nserver_tls_sslmode = require\nlogfile = {directory}/log\n"
        )
        if as_user := _server_user():
            for path in (directory, *directory.iterdir()):
                os.chown(path, as_user["user"], as_user["group"])
        self._process = subprocess.Popen(
            [program, directory / "pgbouncer.ini"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **_server_user(),
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

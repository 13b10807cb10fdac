"""When the certificates of the app's databases end, of those that are verified and that this machine sees."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from scripts.config.database_url import PORT, DatabaseUrl
from scripts.core.errors import InputError
from scripts.desired.database_reach import databases
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.machine import database_certificate
from scripts.project import Project

SOON = timedelta(days=14)
VERIFIED = ("verify-ca", "verify-full")


def ends(project: Project) -> Iterator[tuple[str, DatabaseUrl, datetime]]:
    """Yield the key of each such database, its URL, and when its certificate ends. Raises InputError for a `.env` that is wrong."""
    for key, url in databases(project.settings, project.env):
        if url.ssl_mode in VERIFIED and (end := database_certificate.ends(url.host, url.port or PORT)):
            yield key, url, end


def expiring(project: Project) -> Iterator[Diagnosis]:
    """Yield what is wrong with the certificates of databases that are verified; what this machine cannot see is not."""
    with contextlib.suppress(InputError):  # what is wrong with .env, `up` and `doctor` tell
        for key, url, end in ends(project):
            if (left := end - datetime.now(UTC)) < SOON:
                users = ", ".join(name for name, service in project.settings.services.items() if key in service.env_keys)
                when = "has expired" if left < timedelta() else f"ends in {left.days} days"
                evidence = (f"{key} asks for {url.ssl_mode}; its server shows a certificate until {end:%Y-%m-%d %H:%M} UTC",)
                cause = f"{users}: the certificate of the database of {key} {when}"
                yield Diagnosis("database-certificate", users, cause, evidence, "renew it on the database's server")

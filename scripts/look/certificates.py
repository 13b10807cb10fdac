"""When the certificates of the app's databases end, of those that are verified and that this machine sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scripts.config.database_url import PORT, DatabaseUrl
from scripts.desired.database_reach import databases
from scripts.machine import database_certificate
from scripts.project import Project

VERIFIED = ("verify-ca", "verify-full")


def ends(project: Project) -> Iterator[tuple[str, DatabaseUrl, datetime]]:
    """Yield the key of each such database, its URL, and when its certificate ends. Raises InputError for a `.env` that is wrong."""
    for key, url in databases(project.settings, project.env):
        if url.ssl_mode in VERIFIED and (end := database_certificate.ends(url.host, url.port or PORT)):
            yield key, url, end

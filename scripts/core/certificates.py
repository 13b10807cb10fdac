"""The certificates that this machine trusts beyond the usual ones: a gateway that re-signs TLS needs them everywhere."""

from __future__ import annotations

import os
from pathlib import Path

from scripts.core.errors import InputError
from scripts.core.settings import ROOT, Settings


def extra_ca(settings: Settings) -> bytes:
    """Return the PEM file that `build.extra_ca` or else SSL_CERT_FILE names; nothing when neither does.

    Raises InputError when it cannot be read or holds no certificate.
    """
    named = settings.build.extra_ca or os.environ.get("SSL_CERT_FILE", "")
    if not named:
        return b""
    try:
        pem = (ROOT / Path(named).expanduser()).read_bytes()
    except OSError as error:
        raise InputError(f"the extra CA {named} cannot be read: {error.strerror}", "mend build.extra_ca or SSL_CERT_FILE") from None
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        raise InputError(f"the extra CA {named} holds no PEM certificate", "mend build.extra_ca or SSL_CERT_FILE")
    return pem

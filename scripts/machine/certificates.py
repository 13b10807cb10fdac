"""The certificates that this machine trusts beyond the usual ones: a gateway that re-signs TLS needs them everywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from scripts.core.errors import InputError
from scripts.core.paths import ROOT, expanded

PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?")


def extra_ca(configured: str) -> bytes:
    """Return the content of the PEM file that is configured (`build.extra_ca`) or else that SSL_CERT_FILE names; nothing when neither is.

    Raises InputError when it cannot be read or holds no certificate.
    """
    named = configured or os.environ.get("SSL_CERT_FILE", "")
    if not named:
        return b""
    try:
        pem = (ROOT / expanded(named)).read_bytes()
    except (OSError, ValueError) as error:  # a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"the extra CA {named} cannot be read: {reason}", "fix build.extra_ca or SSL_CERT_FILE", code="extra-ca-invalid"
        ) from None
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        raise InputError(f"the extra CA {named} holds no PEM certificate", "fix build.extra_ca or SSL_CERT_FILE", code="extra-ca-invalid")
    return pem


def bundle(extra: bytes) -> str:
    """Return the usual authorities and the extra certificates as one PEM text, for programs that take a file instead of their own."""
    usual = Path(DEFAULT_CA_BUNDLE_PATH).read_text(encoding="ascii", errors="ignore")
    return "".join(
        f"{each}\n"
        for each in dict.fromkeys(map(str.strip, PEM.findall(usual + "\n" + extra.decode("utf-8", errors="ignore").replace("\r\n", "\n"))))
    )

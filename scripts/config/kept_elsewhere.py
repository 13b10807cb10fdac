"""Recognises what only stands for a secret: a password manager's reference in the place of a value, an encrypted value or `.env`."""

from __future__ import annotations

import re

_REFERENCE = re.compile(
    r"(\{\{\s*)?(op|bws|vault|awssm|awsps|gcpsm|azurekeyvault|doppler|infisical|secretref|ref\+\w+|file)://.*"
    r"|vault:[\w/.-]+#\S+"
    r"|ENC\[.*\]|encrypted:[A-Za-z0-9+/=]{16,}"  # sops; dotenvx
    r"|arn:aws[\w-]*:(secretsmanager|ssm):.*|projects/[^/]+/secrets/.*|@Microsoft\.KeyVault\(.*\)"
    r"|/run/secrets/.*",
    re.DOTALL,
)
_FILES = {
    "\0GITCRYPT\0": ("is locked by git-crypt", "git-crypt unlock"),
    "$ANSIBLE_VAULT;": ("is encrypted by Ansible Vault", "ansible-vault decrypt .env"),
    "-----BEGIN AGE ENCRYPTED FILE-----": ("is encrypted by age", "decrypt it: age --decrypt"),
    "age-encryption.org/": ("is encrypted by age", "decrypt it: age --decrypt"),
    "-----BEGIN PGP MESSAGE-----": ("is encrypted by GnuPG", "decrypt it: gpg --decrypt"),
    "version https://git-lfs.github.com/": ("is a pointer of Git LFS", "git lfs pull"),
}
"""How a file begins that holds something else than it will, what it is, and what brings it."""


def is_reference(value: str) -> bool:
    """Return whether a value names or hides one that is kept elsewhere, which a service would get as it stands."""
    return bool(_REFERENCE.fullmatch(value.strip()))


def in_place_of(text: str) -> tuple[str, str] | None:
    """Return what the text is in place of a `.env`, and what brings the right one; None where it is none of these."""
    return next((told for beginning, told in _FILES.items() if text.startswith(beginning)), None)

"""What a person may not do in a cluster, told as that and not as a program that failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.core.shell import CommandError

REFUSED = re.compile(
    r'User "(?P<user>[^"]+)" cannot (?P<verb>[a-z]+) resource "(?P<what>[^"]+)"(?: in API group "(?P<group>[^"]*)")?'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)


@contextmanager
def told() -> Iterator[None]:
    """Let a CommandError of the block say which right is missing, where that is its reason."""
    try:
        yield
    except CommandError as error:
        found = REFUSED.search("\n".join(error.evidence))
        if not found:
            raise
        what = f"{found['what']}.{found['group']}" if found["group"] else found["what"]
        where = f"in namespace {found['namespace']}" if found["namespace"] else "in the whole cluster"
        option = f"--namespace {found['namespace']}" if found["namespace"] else "--all-namespaces"
        cause = f"{found['user']} may not {found['verb']} {what} {where}"
        refused = CommandError(cause, error.evidence, error.result, code="rights-missing")
        refused.action = f"use a context that may, or ask the cluster's administrator: kubectl auth can-i {found['verb']} {what} {option}"
        raise refused from None

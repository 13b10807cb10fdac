"""Asks every service what it should answer.

Arguments: a JSON list of checks, and the seconds for which a check may fail before it counts. A check is {url}, which wants a code from
200 to 399, as the kubelet does; {url, contains}, which wants 200 and that text; or {host, port}, which wants a connection. Prints a line a
check; exit code 1 when one does not hold.
"""

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from typing import Any

TIMEOUT = 5


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: another host is not the service, and the policies do not let this pod go there."""

    def redirect_request(self, *_: Any) -> None:
        """Return None, which makes an answer of the redirect itself."""


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def fetch(url: str) -> tuple[int, str]:
    """Return the code and body of an answer, whatever its code. Raises OSError when there is none."""
    try:
        with OPENER.open(url, timeout=TIMEOUT) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def problem(check: dict[str, Any]) -> str | None:
    """Return what is wrong with the answer to one check, or None."""
    try:
        if "host" in check:
            socket.create_connection((check["host"], check["port"]), TIMEOUT).close()
            return None
        code, body = fetch(check["url"])
    except (OSError, ValueError) as error:
        return str(error)
    if not 200 <= code < (201 if "contains" in check else 400):
        return f"HTTP {code}: {body[:200]}"
    wanted = check.get("contains", "")
    return None if wanted in body else f"no {wanted!r} in: {body[:200]}"


def settle(check: dict[str, Any], deadline: float) -> str | None:
    """Ask until the check holds or the deadline is over; return the last problem, or None."""
    while (wrong := problem(check)) and time.monotonic() < deadline:
        time.sleep(1)
    return wrong


def main() -> None:
    """Print a line a check; exit with 1 when one does not hold."""
    deadline = time.monotonic() + float(sys.argv[2])
    failed = False
    for check in json.loads(sys.argv[1]):
        wrong = settle(check, deadline)
        asked = check.get("url") or f"{check['host']}:{check['port']}"
        print(f"FAILED {asked}: {wrong}" if wrong else f"ok {asked}", flush=True)
        failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


main()

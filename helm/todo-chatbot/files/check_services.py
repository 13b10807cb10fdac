"""Asks every service what it should answer.

Arguments: a JSON list of checks {url, and status or contains}, and the seconds for which a check may fail before it counts. A check with
`status` wants a JSON answer with that `status`; one with `contains` wants that text in the answer. Prints a line a check; exit code 1 when
one does not hold.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any


def fetch(url: str) -> tuple[int, str]:
    """Return the code and body of an answer, whatever its code. Raises OSError when there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def problem(check: dict[str, Any]) -> str | None:
    """Return what is wrong with the answer to one check, or None."""
    try:
        code, body = fetch(check["url"])
        if code != 200:
            return f"HTTP {code}: {body[:200]}"
        if "contains" in check:
            return None if check["contains"] in body else f"no {check['contains']!r} in: {body[:200]}"
        answer = json.loads(body)
    except (OSError, ValueError) as error:
        return str(error)
    good = isinstance(answer, dict) and answer.get("status") == check["status"]
    return None if good else f"no status {check['status']!r} in: {body[:200]}"


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
        print(f"FAILED {check['url']}: {wrong}" if wrong else f"ok {check['url']}", flush=True)
        failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


main()

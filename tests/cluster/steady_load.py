"""Runs in a pod: asks URLs in turn at a steady rate, a new connection each time, and writes what came of it once a second.

    python steady_load.py PER_SECOND URL...

A request failed unless it was answered with 200 within the time limit. Nothing is asked twice.
"""

import collections
import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

SECONDS = 10
THREADS = 16
OK = 200


class Load:
    def __init__(self, per_second: int, urls: list[str], token: str) -> None:
        self._pause = 1 / per_second
        self._urls = [urllib.parse.urlsplit(url) for url in urls]
        self._headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self._sent = 0
        self._failed: collections.Counter[str] = collections.Counter()
        self._total = 0

    def count(self) -> str:
        with self._lock:
            return json.dumps({"total": self._total, "failed": self._failed})

    def work(self) -> None:
        while True:
            with self._lock:
                mine, self._sent = self._sent, self._sent + 1
                turn, self._next = self._next, self._next + self._pause
            time.sleep(max(0.0, turn - time.monotonic()))
            problem = self._ask(self._urls[mine % len(self._urls)])
            with self._lock:
                self._total += 1
                if problem:
                    self._failed[problem] += 1

    def _ask(self, url: urllib.parse.SplitResult) -> str:
        """What went wrong with one request; empty when nothing did."""
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=SECONDS)
        try:
            connection.request("GET", url.path, headers=self._headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"{url.netloc}{url.path}: {type(error).__name__}: {error}"
        finally:
            connection.close()
        return "" if answer.status == OK else f"{url.netloc}{url.path}: {answer.status}"


if __name__ == "__main__":
    load = Load(int(sys.argv[1]), sys.argv[2:], os.environ.get("API_TOKEN", ""))
    for _ in range(THREADS):
        threading.Thread(target=load.work, daemon=True).start()
    while True:
        time.sleep(1)
        print(load.count(), flush=True)

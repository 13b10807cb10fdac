"""Runs in a pod: asks URLs at a steady rate and writes what came of it once a second.

    python steady_load.py PER_SECOND URL...

Each thread asks one URL. For each URL some make a new connection each time, and as many, as proxies do, keep theirs until
an answer says that it closes. A request failed unless it was answered with 200 within the time limit. Nothing is asked twice.
"""

import collections
import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

SECONDS = 30  # as a person waits, and the frontend
THREADS = 16
OK = 200


class Load:
    def __init__(self, per_second: int, urls: list[str], token: str) -> None:
        self._pause = THREADS / per_second
        self._urls = [urllib.parse.urlsplit(url) for url in urls]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._lock = threading.Lock()
        self._failed: collections.Counter[str] = collections.Counter()
        self._total = 0
        self._slowest = 0.0

    def count(self) -> str:
        with self._lock:
            return json.dumps({"total": self._total, "failed": self._failed, "slowest": round(self._slowest, 1)})

    def work(self, number: int) -> None:
        url, keeps = self._urls[number // 2 % len(self._urls)], number % 2 == 0
        connection = http.client.HTTPConnection(url.netloc, timeout=SECONDS)
        turn = time.monotonic() + self._pause * number / THREADS
        while True:
            time.sleep(max(0.0, turn - time.monotonic()))
            turn += self._pause
            started = time.monotonic()
            problem = self._ask(connection, url.path, keeps)
            with self._lock:
                self._total += 1
                self._slowest = max(self._slowest, time.monotonic() - started)
                if problem:
                    self._failed[f"{url.netloc}{url.path}: {problem}, {'kept' if keeps else 'new'} connection"] += 1

    def _ask(self, connection: http.client.HTTPConnection, path: str, keeps: bool) -> str:
        """What went wrong with one request; empty when nothing did."""
        try:
            connection.request("GET", path, headers=self._headers | ({} if keeps else {"Connection": "close"}))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return f"{type(error).__name__}: {error}"
        return "" if answer.status == OK else str(answer.status)


if __name__ == "__main__":
    load = Load(int(sys.argv[1]), sys.argv[2:], os.environ.get("API_TOKEN", ""))
    for number in range(THREADS):
        threading.Thread(target=load.work, args=(number,), daemon=True).start()
    while True:
        time.sleep(1)
        print(load.count(), flush=True)

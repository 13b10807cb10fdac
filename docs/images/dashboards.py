"""Take pictures of the dashboards in Grafana as it runs: `python docs/images/dashboards.py`, after `invoke up` with monitoring.

They go to `.state/pictures`. It needs Chromium. The browser sees Grafana through a proxy of ours that signs in: it gets no password.
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1600
GRID, AROUND = 38, 120
"""The height of one line of Grafana's grid, and of what stands around the panels, in pixels."""
PATIENCE_MS = 30_000
ANSWER_SECONDS = 60
NOT_PASSED_ON = {"transfer-encoding", "connection", "content-length"}


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a port of this machine, with the sign-in added."""

    def __init__(self, port: int, user: str, password: str) -> None:
        """Listen on a free port of the loopback address."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = port
        self.sign_in = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


class Handler(BaseHTTPRequestHandler):
    """One request to Grafana."""

    server: Proxy

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Pass it on."""
        length = int(self.headers.get("Content-Length") or 0)
        kept = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "authorization", "accept-encoding")}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=ANSWER_SECONDS)
        try:
            connection.request(self.command, self.path, self.rfile.read(length), kept | {"Authorization": self.server.sign_in})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in NOT_PASSED_ON:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the base class asks for


@contextmanager
def signed_in(port: int, user: str, password: str) -> Iterator[str]:
    """Yield an address at which Grafana knows the user already, while the block runs."""
    with Proxy(port, user, password) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}"
        finally:
            proxy.shutdown()
            thread.join()


def heights(dashboards: Iterable[str]) -> dict[str, int]:
    """Return how high a window shows all of each dashboard, by its uid."""
    read = map(json.loads, dashboards)
    return {found["uid"]: AROUND + GRID * max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in found["panels"]) for found in read}


def take(address: str, wanted: Mapping[str, int], folder: Path) -> list[Path]:
    """Take a picture of each dashboard, as high as it says; return the files. Raises FileNotFoundError without a browser."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if not browser:
        raise FileNotFoundError(f"none of {', '.join(BROWSERS)} is installed")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for uid, height in wanted.items():
        picture = folder / f"{uid}.png"
        size, patience = f"--window-size={WIDTH},{height}", f"--virtual-time-budget={PATIENCE_MS}"
        argv = [browser, "--headless", "--no-sandbox", "--no-proxy-server", "--hide-scrollbars", size, patience]
        argv += [f"--screenshot={picture}", f"{address}/d/{uid}?kiosk"]
        subprocess.run(argv, check=True, capture_output=True, timeout=300)
        made.append(picture)
    return made


def main() -> None:
    """Take a picture of every dashboard of ours."""
    from scripts.check_monitoring import GRAFANA_PORT
    from scripts.desired import dashboards, monitoring
    from scripts.kubernetes.port_forward import forward
    from scripts.project import Project

    project = Project()
    settings = project.settings
    cluster = project.cluster_deployment().cluster.within(settings.monitoring.namespace, settings.release)
    with (
        forward(cluster, f"service/{monitoring.object_name(settings, 'grafana')}", GRAFANA_PORT) as port,
        signed_in(port, "admin", project.env.get(monitoring.PASSWORD_KEY)) as address,
    ):
        for picture in take(address, heights(dashboards.rendered(settings).values()), ROOT / ".state" / "pictures"):
            print(picture)


if __name__ == "__main__":
    main()

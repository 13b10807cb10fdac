"""Compare the list of 50 todos with a bare FastAPI route under the same load, on this machine, in this run.

    DATABASE_URL=postgresql://… python app/backend/benchmarks/list_todos.py [--seconds 5] [--rounds 4] [--connections 8]

The database must be migrated and empty; 50 todos are added. The two servers take turns, so that other work on the
machine meets both. Prints for each server, and for ours with a Gemini key, the seconds from start to ready and the
memory at rest; then the latencies in milliseconds and the ratios. Targets: ready in 2 s, 120 MB, a p99 within 2x.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"


@contextmanager
def server(name: str, command: list[str], port: int, gemini_api_key: str = "") -> Iterator[None]:
    """Run a server; print how long it took to get ready and what it needs at rest."""
    environment = os.environ | {
        "PYTHONPATH": f"{SOURCE}{os.pathsep}{HERE}",
        "PORT": str(port),
        "LOG_LEVEL": "error",
        "API_TOKEN": "",
        "GEMINI_API_KEY": gemini_api_key,
    }
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment, stdin=subprocess.DEVNULL)
    try:
        wait_ready(port)
        seconds, usage = time.monotonic() - started, psutil.Process(process.pid)
        cpu = sum(usage.cpu_times()[:2])
        megabytes = usage.memory_info().rss / 1e6
        print(f"{name:>6}  ready after {seconds:.2f} s ({cpu:.2f} s of CPU)  {megabytes:.0f} MB at rest", flush=True)
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_ready(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"the server on port {port} did not get ready")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def fill(port: int, todos: int) -> None:
    for number in range(todos):
        body = b'{"title": "todo %d", "due_date": "2026-12-01", "tags": ["a", "b"]}' % number
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/todos", data=body, headers={"Content-Type": "application/json"}
        )
        await asyncio.to_thread(lambda request=request: urllib.request.urlopen(request, timeout=30).close())


async def load(port: int, connections: int, seconds: float) -> list[float]:
    """Ask for the list on keep-alive connections, one request at a time on each; return the latencies in seconds."""
    latencies: list[float] = []
    end = time.monotonic() + seconds

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            started = time.perf_counter()
            writer.write(b"GET /api/todos HTTP/1.1\r\nHost: x\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise SystemExit(head.decode())
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return latencies


def report(name: str, latencies: list[float], seconds: float) -> dict[str, float]:
    cuts = statistics.quantiles(latencies, n=100)
    figures = {"p50": cuts[49] * 1000, "p99": cuts[98] * 1000, "per second": len(latencies) / seconds}
    print(f"{name:>6}  " + "  ".join(f"{key} {value:8.1f}" for key, value in figures.items()))
    return figures


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="length of one turn")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    bare_port, ours_port = free_port(), free_port()
    bare = ["uvicorn", "bare_app:app", "--port", str(bare_port), "--no-access-log", "--log-level", "warning"]
    latencies: dict[str, list[float]] = {"bare": [], "ours": []}
    with server("gemini", ["todo_backend"], ours_port, gemini_api_key="any"):
        pass  # its start and its memory are all that is asked
    with server("bare", bare, bare_port), server("ours", ["todo_backend"], ours_port):
        await fill(ours_port, 50)
        for warm_up in (True, *[False] * options.rounds):
            for name, port in (("bare", bare_port), ("ours", ours_port)):
                taken = await load(port, options.connections, 1 if warm_up else options.seconds)
                latencies[name] += [] if warm_up else taken
    seconds = options.seconds * options.rounds
    figures = {name: report(name, taken, seconds) for name, taken in latencies.items()}
    ratios = {key: figures["ours"][key] / figures["bare"][key] for key in ("p50", "p99")}
    print(f" ratio  p50 {ratios['p50']:8.2f}  p99 {ratios['p99']:8.2f}")


if __name__ == "__main__":
    asyncio.run(main())

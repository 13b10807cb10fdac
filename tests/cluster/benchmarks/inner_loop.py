"""How `invoke up` compares with the plain commands that bring the same change, in the same run on the same cluster.

    python -m tests.cluster.benchmarks.inner_loop [ROUNDS]

It needs the test cluster (`python -m tests.cluster.local_cluster up`). The plain commands are what a careful person would chain:
docker build of each image, all images saved and imported, helm upgrade, kubectl rollout status, two requests. Prints seconds and ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.config.settings import load_settings
from scripts.core import paths
from scripts.images.bases import find_base
from tests.checkout import RELEASE, Checkout
from tests.cluster.app import App, install
from tests.cluster.context import ClusterContext
from tests.cluster.local_cluster.cluster import LocalCluster

IMAGES = {"backend": "app/backend", "frontend": "app/frontend", "postgres": "docker/postgres"}
SOURCE = "app/backend/src/todo_backend/answers.py"


def main() -> None:
    """Install the app, measure both ways in turn, and take the app away."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    own = LocalCluster()
    os.environ["PATH"] += f"{os.pathsep}{paths.TOOLS}{os.pathsep}{own.layout.bin}"
    os.environ["NO_PROXY"] = own.layout.node_ip
    context = ClusterContext(own.layout.name, own.layout.kubeconfig, own.layout.sockets)
    with tempfile.TemporaryDirectory() as folder:
        app = install(context, Path(folder) / "todo")
        try:
            compare("nothing changed", rounds, lambda _: None, app, own)
            compare("one line of the backend changed", rounds, lambda turn: edit(app.checkout, turn), app, own)
        finally:
            app.checkout.invoke("down", "--data", "--yes", "--engine", "kube_context")


def compare(name: str, rounds: int, change: Callable[[str], None], app: App, own: LocalCluster) -> None:
    """Time both ways after the same kind of change, in turn, and print the medians and their ratio."""
    ours, plain = [], []
    for turn in range(rounds):
        change(f"ours {name} {turn}")
        ours.append(seconds(lambda: up(app.checkout)))
        change(f"plain {name} {turn}")
        plain.append(seconds(lambda: plain_commands(app, own)))
        up(app.checkout)  # the plain commands have tags of their own; back to ours
    a, b = statistics.median(ours), statistics.median(plain)
    print(f"{name}: invoke up {a:.1f} s, plain commands {b:.1f} s, ratio {a / b:.2f}", flush=True)


def seconds(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def edit(checkout: Checkout, text: str) -> None:
    path = checkout.path / SOURCE
    path.write_text(f"{path.read_text()}\n# {text}\n")


def up(checkout: Checkout) -> None:
    run = checkout.invoke("up", "--engine", "kube_context")
    assert run.code == 0, run.stderr


def plain_commands(app: App, own: LocalCluster) -> None:
    """Bring the checkout's state to the cluster with a tag that a person would take, and look whether it works."""
    values: dict[str, Any] = app.values()
    tags = {}
    for name, context in IMAGES.items():
        section = values["services"].get(name) or values[name]
        tags[name] = plain_tag(app.checkout.path, name, context)
        section["image"]["tag"] = tags[name].rpartition(":")[2]
    archive = app.checkout.path / "images.tar"
    run("docker", "save", "--output", str(archive), *tags.values())
    run("ctr", "--address", str(own.layout.containerd_socket), "--namespace", "k8s.io", "images", "import", str(archive))
    kubeconfig = str(app.context.kubeconfig)
    helm = ("helm", "--kubeconfig", kubeconfig, "--namespace", RELEASE, "upgrade", RELEASE, str(app.checkout.path / "helm/todo-chatbot"))
    run(*helm, "--values", "-", given=json.dumps(values))
    kubectl = ("kubectl", "--kubeconfig", kubeconfig, "--namespace", RELEASE)
    for workload in (
        "deployment/todo-chatbot-test-backend",
        "deployment/todo-chatbot-test-frontend",
        "statefulset/todo-chatbot-test-postgres",
    ):
        run(*kubectl, "rollout", "status", workload, "--timeout=300s")
    for name in ("backend", "frontend"):
        run(*kubectl, "get", "--raw", f"/api/v1/namespaces/{RELEASE}/services/{RELEASE}-{name}:http/proxy/ready")


def plain_tag(root: Path, name: str, context: str) -> str:
    """Build an image by the Dockerfile on the bases of ours, tag it by its id, and return the name."""
    settings = load_settings()
    source = settings.services.get(name) or settings.database
    base = find_base(settings, source.base)
    assert base, "the base images are there once `up` has run"
    arguments = [f"--build-arg=BASE_IMAGE={base.build}", f"--build-arg=RUNTIME_IMAGE={base.runtime}"]
    ca = [image for image in run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "todo-extra-ca").split() if image]
    arguments += [f"--build-arg=CA_IMAGE={ca[0]}"] if ca else []
    run(
        "docker",
        "build",
        "--quiet",
        "--file",
        str(root / source.dockerfile),
        *arguments,
        "--tag",
        f"todo-{name}:plain",
        str(root / context),
    )
    built = json.loads(run("docker", "image", "inspect", f"todo-{name}:plain"))[0]["Id"]
    tag = f"todo-{name}:p{built.rpartition(':')[2][:12]}"
    run("docker", "tag", f"todo-{name}:plain", tag)
    return tag


def run(*argv: str, given: str | None = None) -> str:
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, env={**os.environ, "DOCKER_BUILDKIT": "0"})
    assert done.returncode == 0, f"{argv[:4]}: {done.stderr[-800:]}"
    return done.stdout


if __name__ == "__main__":
    main()

"""The guard in the place of bash: what it runs for an assistant, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from scripts.ai import guard, kubectl_ai
from scripts.ai.guard import RefusedError, checked
from scripts.core.errors import TaskError
from scripts.kubernetes.cluster import Cluster

LOOKS = [
    "kubectl get pods",
    "kubectl get pods,events -n todo -o json --sort-by=.metadata.name",
    "kubectl get pods -ojsonpath='{.items[*].status.containerStatuses[?(@.restartCount>0)].name}'",
    "kubectl get pods -l 'app in (a,b)' -A",
    "kubectl describe pod/x --show-events",
    "kubectl logs deploy/backend --tail -1 -p -c app",
    "kubectl rollout status deploy/x --watch=false",
    "kubectl auth can-i get secrets",
    'kubectl explain "$(< .env)"',  # no shell reads it: these are the words themselves
]
DOES_MORE = [
    "",
    "kubectl",
    "cat .env",
    "KUBECONFIG=x kubectl get pods",
    "/usr/bin/kubectl get pods",
    "kubectl get pods | tee f",
    "kubectl get pods > f",
    "kubectl get pods && id",
    "kubectl get pods; id",
    "kubectl get pods\nid",
    "kubectl get pods `id`",
    "kubectl get pods $(id)",
    "kubectl get pods 'a",
    "kubectl get pods -f x.yaml",
    "kubectl logs x -f",
    "kubectl get pods --kubeconfig=/home/me/.kube/config",
    "kubectl get pods --context other",
    "kubectl get pods --server=https://elsewhere",
    "kubectl get pods --as=admin",
    "kubectl get pods --token=x",
    "kubectl get --raw /api",
    "kubectl get pods -o go-template-file=.env",
    "kubectl get pods --output jsonpath-file=.env",
    "kubectl get pods -Ao=go-template-file=.env",
    "kubectl get pods --template=.env",
    "kubectl delete pod x --dry-run=none",
    "kubectl exec x -- env",
    "kubectl rollout restart deploy/x",
    "kubectl config view --raw",
    "kubectl kustomize https://elsewhere",
    "kubectl diff -f .env",
    "kubectl proxy",
]


@pytest.mark.unit
@pytest.mark.parametrize("command", LOOKS)
def test_a_plain_command_that_looks_is_run(command: str) -> None:
    assert checked(command)[0] in {"get", "describe", "logs", "rollout", "auth", "explain"}


@pytest.mark.unit
@pytest.mark.parametrize("command", DOES_MORE)
def test_every_other_command_is_refused(command: str) -> None:
    with pytest.raises(RefusedError):
        checked(command)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as `ask` makes one, with a kubectl that tells its arguments and a secret, and the guard in it."""
    kubectl = tmp_path / "real-kubectl"
    kubectl.write_text(
        '#!/bin/sh\necho "ran: $@"; echo "url postgres://todo:hidden@db/todo"; echo "Error from server (Forbidden): no" >&2; exit 1\n'
    )
    kubectl.chmod(0o755)
    return tmp_path


def environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(kubectl_ai.shell, "which", lambda _: str(folder / "real-kubectl"))
    made = kubectl_ai._environment({"GEMINI_API_KEY": "k"}, Cluster("c", "n", "r"), folder)
    return {key: value for key, value in made.items() if value is not None}


@pytest.mark.runner
def test_a_shell_found_or_not_found_on_path_is_the_guard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = environment(folder, monkeypatch)
    assert made.keys() <= {
        *os.environ,
        "BASH_ENV",
        "KUBECTL_AI_TERM_WIDTH",
        "GEMINI_API_KEY",
        "TODO_ASK_KUBECONFIG",
        "TODO_ASK_KUBECTL",
        "TODO_ASK_RECORD",
        "TMPDIR",
    }
    for bash in (folder / "bin/bash", Path("/bin/bash")):
        if not bash.exists():
            continue
        refused = subprocess.run([bash, "-c", f"id > {folder}/stolen"], env=made, capture_output=True, text=True, check=False)
        assert (refused.returncode, refused.stdout[:8]) == (guard.REFUSED, "refused:")
        ran = subprocess.run([bash, "-c", "kubectl get pods -l 'a in (b)'"], env=made, capture_output=True, text=True, check=False)
        assert ran.stdout.splitlines()[0] == f"ran: --kubeconfig={folder}/kubeconfig get pods -l a in (b)"
        assert "hidden" not in ran.stdout
    assert not (folder / "stolen").exists()
    results = [json.loads(line)["result"] for line in (folder / "record").read_text().splitlines()]
    assert [result.partition(":")[0] for result in results[:2]] == ["refused here", "refused by the API server"]


@pytest.mark.runner
def test_without_the_guard_nothing_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = environment(folder, monkeypatch)
    monkeypatch.undo()
    kubectl_ai._prove_the_guard(folder, made)
    (folder / "bin/bash").write_text('#!/bin/sh\neval "$2"\n')
    with pytest.raises(TaskError, match="not in place"):
        kubectl_ai._prove_the_guard(folder, made)

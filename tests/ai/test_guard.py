"""The guard in the place of bash: what it runs for an assistant, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.ai import guard, kubectl_ai
from scripts.ai.guard import RefusedError, checked
from scripts.core import shell
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
    "kubectl get pods \u2013\u2013server=https://elsewhere",  # to kubectl too, that is the name of a pod
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
    "kubectl get pods -o go-template='{{range 9999999}}{{printf \"%1000000s\" 0}}{{end}}'",
    """kubectl get pods -ogo-template='{{range .items}}{{printf "%x" .spec}}{{end}}'""",
    "kubectl get pods -- --server=https://elsewhere",
    "kubectl get pods -n --kubeconfig=x",
    "kubectl get -f https://elsewhere/x.yaml",
    "kubectl get pods -Rf https://elsewhere",
    "kubectl get pods -Lk=. -k .",
    "kubectl --server=https://elsewhere get pods",
    "kubectl get --raw=/api/v1/namespaces/todo/secrets",
    "kubectl create token default",
    "kubectl cp postgres-0:/etc/passwd x",
    "kubectl debug node/a -it --image=busybox",
    "kubectl port-forward pod/x 1:1",
    "kubectl krew install x",
    "kubectl whoami",
    "kubectl auth reconcile -f x",
    "kubectl alpha kuberc view",
    "kubectl get pods --profile=cpu --profile-output=f",
    "kubectl get pods --cache-dir=/home/me",
    "kubectl get pods --v=9",
    "kubectl get pods -v=9",
    "kubectl logs x --insecure-skip-tls-verify-backend",
    "kubectl describe -f .env",
    "\u200bkubectl get pods",
    "kubect\u217c get pods",
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
def test_kubectl_ai_gets_nothing_of_our_environment_but_its_way_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER_KEY", "of-the-user")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setattr(kubectl_ai.shell, "which", lambda _: "/usr/bin/env")
    told = kubectl_ai._environment({"GEMINI_API_KEY": "k"}, Cluster("c", "n", "r"), folder)
    seen = dict(line.split("=", 1) for line in shell.run(["/usr/bin/env"], timeout=30, env=told).stdout.splitlines() if "=" in line)
    own = {"HOME", "TMPDIR", "PATH", "BASH_ENV", "KUBECTL_AI_TERM_WIDTH", "GEMINI_API_KEY", guard.KUBECONFIG, guard.KUBECTL, guard.RECORD}
    assert seen.keys() - {key for key in seen if kubectl_ai.PASSED_ON.fullmatch(key)} == own
    assert (seen["HOME"], seen["PATH"]) == (str(folder), str(folder / "bin"))


@pytest.mark.runner
def test_without_the_guard_nothing_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = environment(folder, monkeypatch)
    monkeypatch.undo()
    kubectl_ai._prove_the_guard(folder, made)
    (folder / "bin/bash").write_text('#!/bin/sh\neval "$2"\n')
    with pytest.raises(TaskError, match="not in place"):
        kubectl_ai._prove_the_guard(folder, made)


@pytest.mark.runner
def test_what_is_without_end_is_bounded_and_a_log_is_read_from_its_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = environment(folder, monkeypatch)
    (folder / "real-kubectl").write_text('#!/bin/sh\necho "$@"\nPATH=/usr/bin:/bin; head -c 100000000 /dev/zero | tr "\\0" y\n')
    ran = subprocess.run([folder / "bin/bash", "-c", "kubectl logs x"], env=made, capture_output=True, text=True, check=False)
    assert "characters left out]" in ran.stdout
    assert len(ran.stdout) < guard.LONGEST + 100
    (folder / "real-kubectl").write_text('#!/bin/sh\necho "$@"\n')
    for given, whole in {"": f" --tail={guard.TAIL}", " --tail=5": " --tail=5"}.items():
        ran = subprocess.run([folder / "bin/bash", "-c", f"kubectl logs x{given}"], env=made, capture_output=True, text=True, check=False)
        assert ran.stdout == f"--kubeconfig={folder}/kubeconfig logs x{whole}\n"
    subprocess.run([folder / "bin/bash", "-c", f"kubectl get {'x' * 100_000}"], env=made, capture_output=True, check=False)
    assert (folder / "record").stat().st_size < 10_000


@pytest.mark.runner
def test_kubectl_ends_with_the_guard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = environment(folder, monkeypatch)
    (folder / "real-kubectl").write_text(f"#!/bin/sh\necho $$ > {folder}/pid\nexec /bin/sleep 60\n")
    with subprocess.Popen([folder / "bin/bash", "-c", "kubectl get pods"], env=made, stdout=subprocess.DEVNULL) as running:
        until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip())
        pid = int((folder / "pid").read_text())
        running.terminate()
    until(lambda: not Path(f"/proc/{pid}").exists())


def until(true: Callable[[], object]) -> None:
    """Wait until something is true. Fails after some seconds."""
    ends = time.monotonic() + 10
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)

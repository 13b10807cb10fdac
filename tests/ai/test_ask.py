"""`invoke ask`: what is read of kubectl-ai, how a failure is told, and what may be proposed."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.ai import context, proposal, providers
from scripts.ai.ask import checked
from scripts.ai.kubectl_ai import answer_in, failure
from scripts.ai.proposal import difference, offer, proposals
from scripts.ai.reader import beyond_looking, manifests
from scripts.config.settings import load_settings
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.core.shell import Result
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.pods import pod_state
from tests.projects import project_on

pytestmark = pytest.mark.unit

USAGE = """Usage:
  kubectl-ai [flags]

Flags:
      --skip-verify-ssl                    skip verifying the SSL certificate of the LLM provider
"""
RUNNING = "\x1b[32m\n  Running: kubectl get pods\n\x1b[0m\n"


def test_of_what_kubectl_ai_prints_the_models_words_are_the_answer() -> None:
    assert answer_in(f"{RUNNING}  It is **well**.      \n\n\n\n  - one\n\n") == "It is **well**.\n\n- one"


def test_an_answer_cannot_move_the_cursor_of_a_terminal() -> None:
    assert answer_in("x" * 100_000) == f"{'x' * 20_000}\n[80000 characters left out]"
    assert answer_in("\x1b[2J\x1b]0;title\x07a\rb\x9b\u202ec") == "[2J]0;titleabc"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            'OpenAI streaming error: POST "http://x/v1/chat/completions": 401 Unauthorized {"code": "invalid_api_key"}',
            "assistant-key-refused",
        ),
        ("Error 400, Message: API key not valid. Please pass a valid API key., Status: INVALID_ARGUMENT", "assistant-key-refused"),
        ("Error 404, Message: models/x is not found for API version v1beta, Status: NOT_FOUND", "assistant-model-unknown"),
        ("Error 429, Message: You exceeded your current quota, Status: RESOURCE_EXHAUSTED", "assistant-busy"),
        ("dial tcp: lookup generativelanguage.googleapis.com: no such host", "assistant-unreachable"),
        ("dial tcp 127.0.0.1:9: connect: connection refused", "assistant-unreachable"),
        ("The following commands require approval:\n* kubectl delete pod x", "assistant-refused"),
        ("no candidates in response", "assistant-failed"),
        ("OpenAI streaming error: unexpected end of JSON input", "assistant-failed"),
    ],
)
def test_a_failure_has_a_code_and_shows_what_was_said(said: str, code: str) -> None:
    error = failure(Result(1, f"{RUNNING}\x1b[31m{said}\x1b[0m", f"{USAGE}\nrunning UI: {said}", 1.0))
    assert error.code == code
    assert said.splitlines()[-1] in " ".join(error.evidence)
    assert "Running" not in str(error)


def test_a_question_is_needed_and_not_a_book() -> None:
    assert checked("  why? ") == "why?"
    for question in (" ", "x" * 2001):
        with pytest.raises(InputError):
            checked(question)


def told(**ask: Any) -> Any:
    settings = load_settings()
    return project_on(None, settings.model_copy(update={"ask": settings.ask.model_copy(update=ask)}))


def test_the_key_is_the_providers_and_a_missing_one_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(InputError, match="GEMINI_API_KEY is empty") as caught:
        providers.environment(told())
    assert caught.value.code == "assistant-key-missing"
    monkeypatch.setenv("GEMINI_API_KEY", "of-the-environment")
    assert providers.environment(told()) == {"GEMINI_API_KEY": "of-the-environment"}
    assert providers.environment(told(provider="ollama", endpoint="http://localhost:11434")) == {"OLLAMA_HOST": "http://localhost:11434"}
    own = told(provider="openai", endpoint="http://localhost:8000/v1", key="")
    assert providers.environment(own) == {"OPENAI_API_KEY": "none", "OPENAI_ENDPOINT": "http://localhost:8000/v1"}


def test_the_role_only_looks_and_at_nothing_secret() -> None:
    account, role, binding = manifests("here", {"a": "b"})
    assert {each["metadata"]["namespace"] for each in (account, role, binding)} == {"here"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": "here"}]
    assert not beyond_looking(role["rules"])
    named = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert not named & {"secrets", "configmaps", "pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "*"}


@pytest.mark.parametrize(
    "rule",
    [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]},
        {"verbs": ["get"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["create"], "apiGroups": [""], "resources": ["pods/exec"]},
        {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["deployments"]},
    ],
)
def test_a_right_to_more_is_seen(rule: dict[str, list[str]]) -> None:
    itself = {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectreviews"]}
    assert beyond_looking([itself, rule])
    assert not beyond_looking([itself])


@pytest.mark.parametrize(
    ("line", "destroys"),
    [
        ("kubectl scale deployment/backend --replicas=2", False),
        ("kubectl scale deployment backend --replicas=0", True),
        ("kubectl scale deployment backend --replicas 0", True),
        ("kubectl set env deployment/backend LOG_LEVEL=info -n todo", False),
        ("kubectl set image deployment/backend app=registry/x/y:1", False),
        ("""kubectl patch deploy backend --type=json -p '[{"op":"remove","path":"/spec/x"}]'""", False),
        ("kubectl rollout restart deployment/backend", False),
        ("kubectl rollout undo deployment/backend", True),
        ("kubectl delete pod backend-1", True),
    ],
)
def test_what_may_be_proposed(line: str, destroys: bool) -> None:
    (found,) = proposals(f"Because.\n\nPROPOSAL: {line}\n", "todo")
    assert (found.kind in proposal.KINDS, found.destroys) == (True, destroys)


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf .",
        "kubectl apply -f https://elsewhere/x.yaml",
        "kubectl exec backend -- env",
        "kubectl delete namespace todo",
        "kubectl delete deployment --all",
        "kubectl delete pod a --force",
        "kubectl delete pods -l app=x",
        "kubectl delete pvc/data",
        "kubectl delete pod/a secret/b",
        "kubectl delete pod/a,secret/b",
        "kubectl delete pod a -n kube-system",
        "kubectl delete pod a --namespace=kube-system",
        "kubectl patch secret x -p '{}'",
        "kubectl scale deployment/x --replicas=2 --context=other",
        "kubectl scale deployment/x --replicas=2 'open",
        "kubectl set serviceaccount deployment/x admin",
        "kubectl rollout pause deployment/x",
    ],
)
def test_what_may_not_be_proposed(line: str) -> None:
    with pytest.raises(InputError) as caught:
        proposals(f"PROPOSAL: {line}", "todo")
    assert caught.value.code == "assistant-refused"


def test_a_difference_shows_what_a_person_would_change_and_no_secret() -> None:
    def state(replicas: int) -> dict[str, Any]:
        env = [{"name": "URL", "value": "postgres://a:hidden@db"}]
        return {
            "metadata": {"name": "x", "generation": replicas},
            "spec": {"replicas": replicas, "env": env},
            "status": {"replicas": replicas},
        }

    lines = difference(state(1), state(2)).splitlines()
    assert [line for line in lines[3:] if line[0] in "+-"] == ["-  replicas: 1", "+  replicas: 2"]
    assert "hidden" not in "".join(lines)
    assert difference(state(1), state(1)) == "changes nothing"


def test_nothing_is_run_that_nobody_agreed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(proposal, "effect", lambda *_: "the effect")
    monkeypatch.setattr(Cluster, "kubectl", lambda _, *argv, **__: ran.append(argv) or Result(0, "done", "", 0.1))
    out = io.StringIO()
    with pytest.raises(InputError) as caught:  # a machine listens, and nobody can agree
        offer(
            Cluster("c", "todo", "r"),
            "PROPOSAL: kubectl scale deployment/a --replicas=2",
            Report(as_json=True, stdout=out, stderr=io.StringIO()),
        )
    assert caught.value.code == "confirmation-needed"
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["proposal"]
    assert ran == []


@pytest.mark.parametrize(("answers", "verbs"), [(["no"], []), (["yes", "no"], ["scale"]), (["yes", "yes"], ["scale", "delete"])])
def test_what_destroys_is_asked_about_twice(answers: list[str], verbs: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    ran: list[str] = []
    said = iter(answers)
    monkeypatch.setattr(proposal, "effect", lambda *_: "the effect")
    monkeypatch.setattr(proposal.lock, "PATH", tmp_path / "lock")
    monkeypatch.setattr(Cluster, "kubectl", lambda _, *argv, **__: ran.append(argv[0]) or Result(0, "done", "", 0.1))
    monkeypatch.setattr(Report, "confirm", lambda *_: next(said) == "yes")
    text = "PROPOSAL: kubectl scale deployment/a --replicas=2\nPROPOSAL: kubectl delete pod b"
    offer(Cluster("c", "todo", "r"), text, Report(stdout=io.StringIO(), stderr=io.StringIO()))
    assert ran == verbs


def test_what_is_sent_of_a_pod_is_what_status_shows() -> None:
    pod = pod_state({"metadata": {"name": "a-1"}, "spec": {"containers": [{"name": "a", "image": "a:h1"}]}, "status": {"phase": "Running"}})
    engine = SimpleNamespace(pods=lambda: [pod], diagnose=list, deployment=SimpleNamespace(cluster=SimpleNamespace(get=lambda _: [])))
    sent = json.loads(context.found(project_on(engine, load_settings())))
    assert sent == {"pods": [{"service": "", "name": "a-1", "state": "Running", "ready": False, "restarts": 0, "image": "a:h1"}]}

"""What is asked of a cluster for a snapshot beside its objects: the verdict on a pod that is only tried, and the keys of Secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from scripts.core.shell import CommandError, Result
from scripts.kubernetes import drift, helm
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.helm import Revision
from tests.doubles import revision

pytestmark = pytest.mark.unit

FORBIDDEN = 'Error from server (Forbidden): error when creating "STDIN": pods "todo" is forbidden: exceeded quota: small'
MADE = {"metadata": {"creationTimestamp": "2026-01-02T03:04:05Z"}, "spec": {"containers": []}}
CLAIM = {"metadata": {"name": "data"}}
SET = {
    "kind": "StatefulSet",
    "metadata": {"name": "todo"},
    "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}, "volumeClaimTemplates": [CLAIM]},
}


class Judge(Cluster):
    """A cluster that says one thing to every call."""

    def says(self, code: int, out: str = "", err: str = "") -> Judge:
        object.__setattr__(self, "answer", Result(code, out, err, 0.0))
        return self

    def kubectl(self, *argv: str, **given: Any) -> Result:
        if argv[0] == "create":
            assert "--dry-run=server" in argv  # nothing is made
            object.__setattr__(self, "tried", json.loads(given["input"]))
        return self.answer  # type: ignore[attr-defined,no-any-return]


def refusals(code: int, said: str) -> dict[str, str]:
    return dict(observation._tries(Judge("any", "todo", "todo").says(code, err=said), [SET]).verdicts)


def test_a_pod_that_is_only_tried_tells_why_the_next_one_is_refused() -> None:
    assert refusals(1, f"Warning: something\n{FORBIDDEN}\n") == {"todo": 'pods "todo" is forbidden: exceeded quota: small'}
    assert refusals(0, "") == {}
    denied = "The pods \"todo\" is invalid: : ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no pods today"
    assert refusals(1, denied) == {"todo": denied}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_a_pod_is_tried_as_who_would_make_it_and_as_ourselves_where_we_may_not(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    controller = {"Deployment": "replicaset-controller", "StatefulSet": "statefulset-controller"}[kind]
    maker = f"--as=system:serviceaccount:kube-system:{controller}"
    denied = "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: not for controllers"
    answers = {True: Result(1, "", denied, 0.0), False: Result(0, json.dumps(MADE), "", 0.0)}
    monkeypatch.setattr(Cluster, "kubectl", lambda _, *argv, **__: answers[maker in argv])
    workload = {**SET, "kind": kind}
    assert observation._tries(Cluster("any", "todo", "todo"), [workload]).verdicts == {"todo": denied}
    forbidden = 'serviceaccounts "x" is forbidden: User "dev" cannot impersonate resource "serviceaccounts" in API group ""'
    answers[True] = Result(1, "", f'Error from server (Forbidden): error when creating "STDIN": {forbidden}', 0.0)
    assert observation._tries(Cluster("any", "todo", "todo"), [workload]).verdicts == {"todo": ""}


def test_what_is_judged_tells_the_clock_of_the_api_server() -> None:
    judge = Judge("any", "todo", "todo")
    tried = observation._tries(judge.says(0, json.dumps(MADE)), [SET])
    assert tried == ({"todo": ""}, {"todo": MADE}, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert observation._tries(judge.says(1, err=FORBIDDEN), [SET]).clock is None


@pytest.mark.parametrize(
    "said",
    [
        'Error from server (Forbidden): error when creating "STDIN": pods is forbidden: User "dev" cannot create resource "pods"',
        'Error from server (BadRequest): error when creating "STDIN": admission webhook "x" does not support dry run',
        'The Pod "todo" is invalid: spec.containers: Required value',
        "Unable to connect to the server: dial tcp: i/o timeout",
    ],
)
def test_what_is_no_verdict_is_none(said: str) -> None:
    assert refusals(1, said) == {}


@pytest.mark.parametrize(
    ("message", "code"),
    [('Internal error occurred: failed calling webhook "x"', "webhook-down"), ("services is forbidden: no", "release-refused")],
)
def test_a_release_that_the_api_server_will_not_judge_is_not_called_drifted(message: str, code: str) -> None:
    diagnosis = drift.refusal("todo", message)
    assert diagnosis.code == code
    assert message in diagnosis.cause


def test_a_right_that_the_person_who_asks_lacks_is_no_fault_of_the_release() -> None:
    refused = CommandError("dev may not get priorityclasses", ["Forbidden"], Result(1, "", "", 0.0), code="rights-missing")
    refused.action = "use a context that may"
    diagnosis = drift.unseen("todo", refused)
    assert (diagnosis.code, diagnosis.action) == ("rights-missing", "use a context that may")
    assert "dev may not get priorityclasses" in diagnosis.cause


def test_the_tried_pod_of_a_stateful_set_has_its_claims_and_labels() -> None:
    pod = observation._next_pod(SET)
    assert pod["metadata"] == {"labels": {"a": "b"}, "name": "todo"}
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-todo-0"}}]


def test_secrets_are_known_by_name_and_key_alone() -> None:
    judge = Judge("any", "todo", "todo")
    assert observation._secret_keys(judge.says(0, "app todo A B\nempty -\n\n")) == {"app": ("todo", ["A", "B"]), "empty": ("-", [])}
    assert observation._secret_keys(judge.says(1, err="forbidden")) is None


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        (revision(3, "pending-upgrade", "Preparing upgrade"), "todo: its revision 3 is pending-upgrade: an interrupted run left it so"),
        (revision(4, "failed", "Upgrade failed: no such kind"), "todo: its revision 4 is failed: Upgrade failed: no such kind"),
    ],
)
def test_a_release_whose_newest_revision_is_not_deployed_is_not_well(revision: Revision, says: str) -> None:
    diagnosis = helm.unfinished("todo", revision)
    assert (diagnosis.code, diagnosis.cause) == ("release-unfinished", says)


@pytest.mark.parametrize(
    ("state", "previous", "current", "read"),
    [
        ({"waiting": {}}, (), ("boom",), ("boom",)),  # it waits for its second start, so its only run is the current one
        ({"waiting": {}}, ("boom",), ("newer",), ("boom",)),
        ({"terminated": {"exitCode": 3}}, ("boom",), (), ("boom",)),  # started again since its state was read
        ({"running": {}}, (), ("of the run that lives",), ()),
    ],
)
def test_the_log_of_a_failed_run_is_found_whichever_run_it_is(
    state: dict[str, Any], previous: tuple[str, ...], current: tuple[str, ...], read: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    status = {"name": "app", "state": state, "lastState": {"terminated": {"exitCode": 3}}}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app"}]}, "status": {"containerStatuses": [status]}}
    monkeypatch.setattr(observation, "_log", lambda *_, previous: {True: before, False: current}[previous])
    before = previous
    assert observation._logs(Judge("any", "todo", "todo"), [pod]).get("p/app", ()) == read


def deployment(name: str, **labels: str) -> Any:
    template = {"metadata": {"labels": labels}}
    return {"kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": {"template": template}}


@pytest.mark.parametrize(
    ("selector", "names"),
    [({"k8s-app": "coredns"}, ["new"]), ({"k8s-app": "kube-dns"}, ["old"]), ({"a": "b"}, ["old"]), (None, ["old"])],
)
def test_the_dns_is_what_its_service_leads_to(selector: dict[str, str] | None, names: list[str]) -> None:
    service = {"kind": "Service", "metadata": {"name": "kube-dns"}, "spec": {"selector": selector}}
    others = {"kind": "Service", "metadata": {"name": "metrics"}, "spec": {"selector": {"k8s-app": "metrics-server"}}}
    made = [deployment("old", **{"k8s-app": "kube-dns"}), deployment("new", **{"k8s-app": "coredns"})]
    outside = [*made, deployment("metrics", **{"k8s-app": "metrics-server"}), others, *([service] if selector else [])]
    assert [each["metadata"]["name"] for each in observation._dns(outside)] == names


@pytest.mark.parametrize(("available", "previous", "told"), [(0, "bad line", ("bad line",)), (0, "", ("now",)), (1, "bad line", ())])
def test_what_a_dns_says_is_asked_where_none_of_it_is_ready(
    available: int, previous: str, told: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = deployment("coredns", **{"k8s-app": "kube-dns"})
    server["spec"]["selector"] = {"matchLabels": {"k8s-app": "kube-dns"}}
    server["status"] = {"availableReplicas": available}

    def says(cluster: Cluster, *argv: str, **_: Any) -> Result:
        assert (cluster.namespace, argv[:3]) == ("kube-system", ("logs", "--selector", "k8s-app=kube-dns"))
        return Result(0, previous if "--previous" in argv else "now", "", 0.0)

    monkeypatch.setattr(Cluster, "kubectl", says)
    assert observation._dns_log(Cluster("any", "todo", "todo"), [server]) == told

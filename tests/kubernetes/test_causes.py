"""A snapshot for each cause that no recording shows, and the proof that every code of the diagnosis is made by some test."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.core.paths import ROOT
from scripts.kubernetes.diagnosis.cause import PATIENCE
from tests.faults.releases import FAULTS
from tests.kubernetes.changes import (
    QUOTA,
    Change,
    agent_nowhere,
    agents,
    autoscaler,
    autoscaler_at_limit,
    both,
    budgets,
    changed_pod,
    claim,
    cordoned,
    crowded_node,
    dns,
    dns_policies,
    ended_at_deadline,
    ending_volume,
    endless,
    event,
    evicted,
    exits,
    fails_readiness,
    found,
    killed_at_each_start,
    known,
    node,
    not_seen,
    policies,
    pulled_again,
    refused,
    refused_next,
    relabelled,
    secret_of_somebody,
    shut_in,
    slices,
    stateful_and_refused,
    strange_autoscaler,
    strange_pod,
    tainted,
    three_nodes,
    unmade,
    unplaced,
    unseen,
    uses_secret,
    waits,
    without_pods,
)

pytestmark = pytest.mark.unit


OTHERWISE = {
    "database-url": "kubernetes/test_diagnosis.py::test_the_last_words_of_a_migration_name_the_cause",
    "stalled": "kubernetes/test_diagnosis.py::test_a_rollout_without_progress_and_without_a_cause_is_stalled",
    "dns-at-risk": "kubernetes/test_dns_risks.py::test_settings_that_were_refused_are_told_with_the_reason_and_the_config_map",
    "dns-strange": "traffic/test_names.py::test_a_name_that_means_another_address_is_told_with_both",
    "drifted": "kubernetes/test_drift.py::test_a_changed_field_names_itself_both_values_and_who_set_it",
    "not-rolled-out": "kubernetes/test_surroundings.py::test_a_workload_that_is_not_rolled_out_is_never_healthy",
    "controller-waits": "kubernetes/test_surroundings.py::test_what_refused_a_pod_and_is_gone_is_not_named_again",
    "release-unfinished": "kubernetes/test_observation.py::test_a_release_whose_newest_revision_is_not_deployed_is_not_well",
    "release-refused": "kubernetes/test_observation.py::test_a_release_that_the_api_server_will_not_judge_is_not_called_drifted",
    "rights-missing": "kubernetes/test_observation.py::test_a_right_that_the_person_who_asks_lacks_is_no_fault_of_the_release",
    "release-strange": "kubernetes/test_strange_revision.py::test_what_somebody_made_past_us_is_told_with_what_it_changed",
    "database-emptied": "kubernetes/test_emptied_database.py::test_a_database_younger_than_what_every_pod_made_in_it_is_empty",
    "database-setting": "database/test_state.py::test_each_row_is_a_cause_with_the_command_that_ends_it",
    "data-at-risk": "database/test_state.py::test_each_row_is_a_cause_with_the_command_that_ends_it",
    "database-damaged": "database/test_state.py::test_damaged_pages_are_told_before_what_is_only_at_risk",
    "answers-wrong": "look/test_diagnose.py::test_a_service_that_answers_wrongly_is_not_well_whatever_its_pods_say",
    "requests-failing": "traffic/test_failed_requests.py::test_a_service_whose_newest_answers_are_failures_is_named_with_what_its_log_says",
    "requests-slow": "traffic/test_slow_requests.py::test_a_route_whose_answers_mostly_take_long_is_told_with_the_median",
    "errors-logged": "traffic/test_logged_errors.py::test_errors_again_and_again_are_told_with_what_the_newest_says",
    "proof-failed": "traffic/test_last_proof.py::test_a_failure_is_told_until_a_test_passes",
    "image-cleared": "engines/test_kubernetes.py::test_an_image_that_was_cleared_from_a_node_is_told_before_a_pod_needs_it",
}
"""Codes that come of more than a snapshot: the test that makes each of them and looks at it."""


WEBHOOK = 'Internal error occurred: failed calling webhook "x.example.com": service "nobody" not found'


SYSTEM = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
TO_KUBE_DNS = {
    "to": [{**SYSTEM, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}, {"ipBlock": {"cidr": "169.254.20.10/32"}}],
    "ports": [{"port": 53, "protocol": "UDP"}],
}


CASES: list[tuple[str, Change, str]] = [
    ("configmap-key-missing", waits("CreateContainerConfigError", "couldn't find key MODE in ConfigMap todo/settings"),
     "key MODE of ConfigMap settings does not exist"),
    ("not-configured", waits("CreateContainerError", "failed to reserve container name"), "failed to reserve container name"),
    ("evicted", evicted, "The node was low on resource: memory."),
    ("pod-refused", refused('pods "a" is forbidden: policy says no'), "its pods are refused: policy says no"),
    ("pod-refused", refused('admission webhook "deny.example.com" denied the request: no'), "deny.example.com"),
    ("quota-exceeded", stateful_and_refused('pods "a-0" is forbidden: exceeded quota: todo'), "no room for another pod"),
    ("image-not-on-node", both(waits("ImagePullBackOff"), event("Failed", 'Failed to pull image "x": unauthorized', "app")),
     "its registry denied it"),
    ("volume-unbound", both(claim(there=False), unplaced('0/1 nodes are available: persistentvolumeclaim "data-0" not found.')),
     "its volume claim data-0 does not exist"),
    ("volume-elsewhere", three_nodes(cordoned=True), "its volume data-0 is on one, and one takes no new pods (it is cordoned)"),
    ("volume-elsewhere", three_nodes(ready="Unknown"), "its volume data-0 is on one, and one does not answer"),
    ("volume-elsewhere", three_nodes(there=False), "its volume data-0 is on one, where no node of the cluster is any more"),
    ("volume-elsewhere", three_nodes(labelled="worker"), "and the node one is there: somebody changed its label kubernetes.io/hostname"),
    ("unschedulable", three_nodes(), "no node takes its pod: 0/3 nodes are available"),
    ("readiness-timeout", fails_readiness('Get "http://10.0.0.1:8000/ready": context deadline exceeded'), "/ready does not answer in time"),
    ("readiness-failing", fails_readiness("command terminated with exit code 4"), "its readiness probe fails: command terminated"),
    ("sandbox-failed", both(waits("ContainerCreating"), event("FailedCreatePodSandBox", "plugin type=\"bridge\" failed: no addresses")),
     "no addresses"),
    ("volume-not-mounted", both(waits("ContainerCreating"), event("FailedMount", "MountVolume.SetUp failed: stale NFS file handle")),
     "stale NFS file handle"),
    ("unschedulable", unplaced("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}."), "untolerated taint {gpu: true}"),
    ("wrong-architecture", exits(255, "exec /app: exec format error", architecture="arm64"), "is built for arm64, and its node runs amd64"),
    ("program-not-started", exits(255, "exec /app: exec format error", architecture="amd64"), "neither a binary nor a script with `#!`"),
    ("program-not-started", exits(255, "exec /app: exec format error"), "than the node's amd64, or a script without `#!`"),
    ("killed-from-outside", exits(137, back_off="2m40s"), "killed from outside by SIGKILL, not for its memory"),
    ("killed-from-outside", exits(143), "by SIGTERM"),
    ("killed-from-outside", killed_at_each_start(limit=""), "by SIGKILL"),
    ("killed-from-outside", killed_at_each_start(runs=1), "by SIGKILL"),
    ("killed-from-outside", killed_at_each_start(seconds=60), "by SIGKILL"),
    ("killed-from-outside", both(killed_at_each_start(), event("Killing", "Stopping container app", "app")), "by SIGKILL"),
    ("out-of-memory", killed_at_each_start(), "is killed soon after each start, most likely since it uses more memory"),
    ("database-login", exits(1, 'FATAL:  password authentication failed for user "todo" (database)'), "refuses the login"),
    ("database-not-ours", exits(1, "error: this database belongs to another application: its alembic_version is 'a'. Nothing was changed."
     " Set DATABASE_URL to a database of its own"), "its alembic_version is 'a'"),
    ("node-not-ready", node("Unknown"), "the node is not ready: Kubelet stopped posting node status."),
    ("dns-down", dns(0), "no pod of the cluster's DNS is ready"),
    ("dns-blocked", dns_policies({"podSelector": {}, "policyTypes": ["Ingress"]}), "keep the pods' questions from the cluster's DNS"),
    ("dns-blocked", dns_policies({"podSelector": {}, "egress": []}), "keep the cluster's DNS from asking others"),
    ("dns-blocked", shut_in(TO_KUBE_DNS, labels={"k8s-app": "coredns"}), "let no question through to the cluster's DNS"),
    ("admission-changed", pulled_again(), "container app waits for its image: admission has it pull its image again"),
    ("admission-changed", pulled_again(next_one=True), "it runs, but its next pod will not start: admission has it pull"),
    ("volume-lost", claim(there=False), "its volume claim data-0 is gone"),
    ("volume-lost", claim(deleted=True), "its volume claim data-0 is being deleted"),
    ("volume-lost", ending_volume("Delete"), "its volume pv-1 is being deleted, and goes once its claim data-0 does: its data goes with"),
    ("volume-lost", ending_volume("Retain"), "data-0 does: what it holds stays where it is, and no volume leads to it"),
    ("secret-lost", uses_secret(other=[]), "healthy: Secret app is gone"),
    ("secret-lost", uses_secret(app=["OTHER"]), "key URL of Secret app is gone"),
    ("quota-exceeded", refused_next(QUOTA), "no new pod of it can be made: the namespace's ResourceQuota has no room"),
    ("limit-range", refused_next('pods "healthy" is forbidden: maximum memory usage per Container is 1Mi'), "no new pod of it can be made"),
    ("webhook-down", refused_next(WEBHOOK), 'does not answer: Internal error occurred: failed calling webhook "x.example.com"'),
    ("webhook-down", refused(WEBHOOK), "an admission webhook that every new pod has to pass"),
    ("policy-strange", policies(""), "NetworkPolicy shut-0 says what its pods are let out, and none of the release does"),
    ("nodes-cordoned", cordoned, "no node takes new pods: "),
    ("nodes-cordoned", tainted(), "tainted dedicated:NoSchedule"),
    ("no-room-for-update", crowded_node(memory="1Mi"), "no node has 5m of CPU free for one pod more"),
    ("no-room-for-update", crowded_node(cpu="5m"), "no node has 8Mi of memory free for one pod more"),
    ("scheduler-silent", unseen(40), "no scheduler has looked at its pod for 40 s"),
    ("runtime-silent", unmade(40), "has not begun its pod for 40 s, and does not say why"),
    ("network-down", agent_nowhere("kube-network-policies", {"agent": "true"}), "runs on no node, and does nothing"),
    ("pod-released", relabelled(), "is cut off from it and its Service, since its labels were changed: "),
    ("network-down", agents("kube-proxy", 1), "it is ready on 1 of 2 nodes"),
    ("secret-strange", secret_of_somebody("healthy-backend-0123456789"), "is somebody else's, made under a name of ours"),
    ("pod-strange", strange_pod(), "the pod mine, which is not of it, wears its labels: disruption budgets"),
    ("pod-strange", strange_pod(asked=True), "the pod mine, which is not of it, wears its labels: its Service sends it requests"),
    ("pod-strange", strange_pod(owned=True), "the pod mine, which is not of it, wears its labels"),
    ("pod-endless", endless(90, "example.com/hold"), "the pod old should have ended 90 s ago, and is held by example.com/hold"),
    ("pod-endless", endless(90), "should have ended 90 s ago"),
    ("pod-changed", changed_pod(resources={"requests": {"cpu": "0.005", "memory": "4Mi"}}), "requests.memory is 4Mi, and should be 8Mi"),
    ("pod-changed", changed_pod(resources={}), "requests.cpu is not set, and should be 5m"),
    ("pod-changed", changed_pod(image="todo:hotfix"), "container app runs todo:hotfix, and should run "),
    ("pod-changed", changed_pod(generation=1, spec={"dnsPolicy": "Default"}), "dnsPolicy is Default, and should be ClusterFirst"),
    ("pod-changed", changed_pod(generation=1, spec={"activeDeadlineSeconds": 118}), "activeDeadlineSeconds is 118: it is ended so long"),
    ("pod-changed", ended_at_deadline, "was ended 118 s after its start: somebody had set activeDeadlineSeconds in it"),
    ("autoscaler-strange", strange_autoscaler("healthy"), "HorizontalPodAutoscaler cost-saver says how many pods it has: 1 to 1 pods"),
    ("endpoints-stale", known("gone"), "its Service knows 0 of its 1 ready pods: the EndpointSlice controller does not act"),
    ("endpoints-strange", slices("endpointslice-controller.k8s.io", ""), "requests also to 10.0.0.1, which somebody"),
    ("controllers-silent", without_pods, "0 of 1 pods are there"),
    ("controllers-silent", not_seen, "its newest specification (9) has not been seen"),
    ("drain-blocked", budgets(0), "PodDisruptionBudget pdb-0 lets no drain of a node through: it wants 1 of 1 pods healthy"),
    ("drain-blocked", budgets(1, 1), "another one selects the same pods"),
    ("database-locked", exits(1, "asyncpg: canceling statement due to lock timeout"), "a query of it does not end"),
    ("database-busy", exits(1, "postgres: FATAL: sorry, too many clients already"), "the database has no connection left"),
    ("database-unwritable", exits(1, "psycopg: cannot execute INSERT in a read-only transaction"), "the database takes no writes"),
    ("database-unmigrated", exits(1, '  error: relation "users" does not exist'), "the database lacks tables"),
    ("database-certificate", exits(1, "postgres: SSL error: certificate has expired"), "the database's certificate is not accepted"),
    ("autoscaler-blind", autoscaler("FailedGetResourceMetric", timedelta(minutes=10)), "unable to get metrics for resource cpu"),
    ("autoscaler-blind", autoscaler("FailedGetResourceMetric", timedelta(seconds=5), served=False), "unable to get metrics"),
    ("autoscaler-at-limit", autoscaler_at_limit, "its autoscaler would run more pods than the 4 that it may"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "change", "says"), CASES, ids=[f"{code}: {says[:20]}" for code, _, says in CASES])
def test_each_cause_is_named(code: str, change: Change, says: str) -> None:
    (diagnosis,) = found(change)
    assert diagnosis.code == code
    assert says in diagnosis.cause
    assert diagnosis.evidence
    assert diagnosis.action


def test_every_code_is_made_by_a_recording_or_a_case() -> None:
    assert PATIENCE.keys() == {fault.code for fault in FAULTS} | {code for code, _, _ in CASES} | OTHERWISE.keys()


def words_of(name: str) -> list[str]:
    """The strings in a test and in its parameters; none where there is no such test."""
    file, _, function = name.partition("::")
    tests = [
        node for node in ast.parse((ROOT / "tests" / file).read_text()).body if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    return [node.value for test in tests for node in ast.walk(test) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize(("code", "name"), OTHERWISE.items())
def test_a_code_that_no_snapshot_makes_is_looked_at_by_the_test_that_is_named(code: str, name: str) -> None:
    assert any(word == code or f"[{code}]" in word for word in words_of(name))


@pytest.mark.parametrize(
    "change",
    [
        changed_pod(generation=1, image="mirror.example/todo:1"),
        changed_pod(annotations={"vpaUpdates": "Pod resources updated"}, resources={"limits": {"cpu": "1"}}),
        changed_pod(resources={"requests": {"cpu": "0.005", "memory": "8192Ki"}, "limits": {"cpu": "1"}}),
    ],
    ids=["by admission", "by the vertical autoscaler", "in other words, with a default's limit"],
)
def test_a_pod_that_nobody_changed_by_hand_is_well(change: Change) -> None:
    assert found(change) == []


@pytest.mark.parametrize(
    "change",
    [
        relabelled(owned=True),
        relabelled(named="toolbox"),
        agent_nowhere("kindnet-arm", {"kubernetes.io/arch": "arm64"}),
        agent_nowhere("gpu-driver", {"gpu": "true"}),
    ],
    ids=["it has its owner", "another's pod", "for other machines", "not of the network"],
)
def test_what_is_meant_so_is_well(change: Change) -> None:
    assert found(change) == []


def codes_in(path: Path) -> set[str]:
    """The codes that a module gives to diagnoses, where it writes them there."""
    position = {"diagnosis": 0, "diagnosed": 1}
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [(getattr(call.func, "attr", getattr(call.func, "id", "")), call.args) for call in calls]
    codes = [args[position[name]] for name, args in named if len(args) > position.get(name, len(args))]
    return {code.value for code in codes if isinstance(code, ast.Constant)}


def test_every_code_that_a_rule_gives_has_its_patience() -> None:
    given = {code for path in (ROOT / "scripts" / "kubernetes").rglob("*.py") for code in codes_in(path)}
    assert len(given) > 25
    assert given <= PATIENCE.keys()

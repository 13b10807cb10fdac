"""A snapshot for each cause that no recording shows, and the proof that every code of the diagnosis is made by some test."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts.core.paths import ROOT
from scripts.kubernetes.diagnosis.cause import PATIENCE, Diagnosis
from scripts.kubernetes.diagnosis.diagnose import diagnose, unexplained
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from tests.cluster.recordings import read_recording
from tests.faults.releases import FAULTS

pytestmark = pytest.mark.unit

Object = dict[str, Any]
Change = Callable[[Object], None]
OTHERWISE = (
    "database-url",
    "stalled",
    "drifted",
    "not-rolled-out",
    "release-unfinished",
    "release-refused",
    "database-emptied",
    "answers-wrong",
)  # test_diagnosis.py, test_drift.py, test_stuck_pods.py, test_rollout.py, and below


def pod_of(value: Object) -> Object:
    return value["pods"][0]


def status_of(value: Object) -> Object:
    return pod_of(value)["status"]["containerStatuses"][0]


def waits(reason: str, message: str = "") -> Change:
    def change(value: Object) -> None:
        status_of(value).update(ready=False, started=False, state={"waiting": {"reason": reason, "message": message}}, lastState={})
        unready(value)

    return change


def unready(value: Object) -> None:
    """The pod is not ready, and so its Deployment is not rolled out."""
    for condition in pod_of(value)["status"]["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady"):
            condition["status"] = "False"
    value["workloads"][0]["status"].update(availableReplicas=0, readyReplicas=0)


def event(reason: str, message: str, container: str = "") -> Change:
    def change(value: Object) -> None:
        where = {"uid": pod_of(value)["metadata"]["uid"], **({"fieldPath": f"spec.containers{{{container}}}"} if container else {})}
        value["events"] = [
            {"reason": reason, "message": message, "involvedObject": where, "lastTimestamp": value["taken"], "count": 3, "metadata": {}}
        ]

    return change


def fails_readiness(message: str) -> Change:
    def change(value: Object) -> None:
        event("Unhealthy", f"Readiness probe failed: {message}", "app")(value)
        status_of(value)["ready"] = False
        unready(value)

    return change


def both(*changes: Change) -> Change:
    def change(value: Object) -> None:
        for each in changes:
            each(value)

    return change


def evicted(value: Object) -> None:
    unready(value)
    pod_of(value)["status"].update(phase="Failed", reason="Evicted", message="The node was low on resource: memory. ")


def unplaced(message: str) -> Change:
    def change(value: Object) -> None:
        unready(value)
        pod_of(value)["status"]["phase"] = "Pending"
        pod_of(value)["status"]["conditions"] = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message},
        ]

    return change


def refused(message: str) -> Change:
    def change(value: Object) -> None:
        unready(value)
        value["pods"] = []
        value["replica_sets"][0]["status"] = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]}

    return change


def stateful_and_refused(message: str) -> Change:
    """A StatefulSet has no ReplicaSet that tells: its own events do."""

    def change(value: Object) -> None:
        unready(value)
        workload = value["workloads"][0]
        workload["kind"], value["pods"], value["replica_sets"] = "StatefulSet", [], []
        where = {"uid": workload["metadata"]["uid"]}
        told = {"reason": "FailedCreate", "message": message, "lastTimestamp": value["taken"], "metadata": {}}
        value["events"] = [{**told, "involvedObject": where}]

    return change


def exits(code: int, log: str = "", *, architecture: str = "", back_off: str = "") -> Change:
    """The container's last run ended with this code, and its next one is some seconds away."""

    def change(value: Object) -> None:
        finished = value["taken"]
        ended = {"exitCode": code, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": finished}
        message = f"back-off {back_off} restarting failed container=app" if back_off else ""
        waits("CrashLoopBackOff", message)(value)
        status_of(value).update(lastState={"terminated": ended}, restartCount=1)
        value["logs"] = {f"{pod_of(value)['metadata']['name']}/app": [log]} if log else {}
        value["nodes"] = [
            {
                "kind": "Node",
                "metadata": {"name": pod_of(value)["spec"]["nodeName"]},
                "status": {"nodeInfo": {"architecture": "amd64"}, "conditions": [{"type": "Ready", "status": "True"}]},
            }
        ]
        value["architectures"] = {pod_of(value)["spec"]["containers"][0]["image"]: architecture} if architecture else {}

    return change


def killed_at_each_start(*, seconds: int = 2, runs: int = 2, limit: str = "64Mi") -> Change:
    """SIGKILL ended each of its short runs; the runtime does not say that it was for the memory."""

    def change(value: Object) -> None:
        exits(137)(value)
        started = Snapshot.from_json(value).taken - timedelta(seconds=seconds)
        status_of(value)["lastState"]["terminated"]["startedAt"] = started.isoformat()
        status_of(value)["restartCount"] = runs
        pod_of(value)["spec"]["containers"][0]["resources"] = {"limits": {"memory": limit}} if limit else {}

    return change


def node(ready: str) -> Change:
    def change(value: Object) -> None:
        condition = {"type": "Ready", "status": ready, "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
        name = pod_of(value)["spec"].get("nodeName", "one")
        value["nodes"] = [{"kind": "Node", "metadata": {"name": name}, "status": {"conditions": [condition]}}]

    return change


def dns(available: int, wanted: int = 2) -> Change:
    def change(value: Object) -> None:
        metadata = {"name": "coredns", "namespace": "kube-system"}
        value["dns"] = [{"metadata": metadata, "spec": {"replicas": wanted}, "status": {"availableReplicas": available}}]

    return change


def claim(*, deleted: bool = False, there: bool = True) -> Change:
    def change(value: Object) -> None:
        pod_of(value)["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]
        metadata = {"name": "data-0", **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})}
        value["claims"] = [{"metadata": metadata, "spec": {}, "status": {"phase": "Bound"}}] if there else []

    return change


ELSEWHERE = "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match PersistentVolume's node affinity."


def three_nodes(*, there: bool = True, ready: str = "True", cordoned: bool = False, message: str = ELSEWHERE) -> Change:
    """A pod that could go to any of three nodes, and its volume to the first alone."""

    def change(value: Object) -> None:
        unplaced(message)(value)
        claim()(value)
        value["claims"][0]["spec"]["volumeName"] = "pv-1"
        rule = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["one"]}
        affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}
        value["volumes"] = [{"metadata": {"name": "pv-1"}, "spec": {"nodeAffinity": affinity}}]
        first = {"spec": {"unschedulable": cordoned}, "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "R"}]}}
        others = {"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        value["nodes"] = [
            {"kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, **(first if name == "one" else others)}
            for name in ["one", "two", "three"]
            if there or name != "one"
        ]

    return change


def uses_secret(**there: list[str]) -> Change:
    def change(value: Object) -> None:
        container = pod_of(value)["spec"]["containers"][0]
        container["envFrom"] = [{"secretRef": {"name": "app"}}, {"secretRef": {"name": "other", "optional": True}}]
        container["env"] = [{"name": "URL", "valueFrom": {"secretKeyRef": {"name": "app", "key": "URL"}}}]
        value["secrets"] = there

    return change


def autoscaler(reason: str, since: timedelta, *, served: bool = True) -> Change:
    def change(value: Object) -> None:
        taken = Snapshot.from_json(value).taken
        status_of(value)["state"] = {"running": {"startedAt": (taken - timedelta(hours=1)).isoformat()}}
        active = {"type": "ScalingActive", "status": "False", "reason": reason, "message": "unable to get metrics for resource cpu"}
        active["lastTransitionTime"] = (taken - since).isoformat()
        spec = {"scaleTargetRef": {"name": value["workloads"][0]["metadata"]["name"]}}
        value["autoscalers"] = [{"metadata": {"name": "healthy"}, "spec": spec, "status": {"conditions": [active]}}]
        available = {"type": "Available", "status": "True" if served else "False", "message": "endpoints not found"}
        value["metrics_apis"] = [{"metadata": {"name": "v1beta1.metrics.k8s.io"}, "status": {"conditions": [available]}}]

    return change


def refused_next(message: str, *bounds: Object, kind: str = "Deployment") -> Change:
    def change(value: Object) -> None:
        value["workloads"][0]["kind"] = kind
        if kind == "StatefulSet":
            pod_of(value)["metadata"]["ownerReferences"] = [{"uid": value["workloads"][0]["metadata"]["uid"]}]
        value["refusals"] = {"healthy": message}
        value["bounds"] = list(bounds)

    return change


def bound(kind: str, release: str = "") -> Object:
    return {"kind": kind, "metadata": {"name": "small", "labels": {"app.kubernetes.io/instance": release}}, "spec": {}}


def policies(*releases: str, direction: str = "Egress") -> Change:
    """One policy that shuts a direction for all pods, from each of these releases; of nobody's where there is none."""

    def change(value: Object) -> None:
        spec = {"podSelector": {}, "policyTypes": [direction]}
        labels = [{"app.kubernetes.io/instance": release} if release else {} for release in releases]
        value["policies"] = [{"metadata": {"name": f"shut-{i}", "labels": each}, "spec": spec} for i, each in enumerate(labels)]

    return change


def budgets(*allowed: int, healthy: int = 1) -> Change:
    def change(value: Object) -> None:
        status = {"expectedPods": 1, "currentHealthy": healthy, "desiredHealthy": 1}
        value["budgets"] = [
            {"metadata": {"name": f"pdb-{i}"}, "spec": {"selector": {}}, "status": {**status, "disruptionsAllowed": each}}
            for i, each in enumerate(allowed)
        ]

    return change


def cordoned(value: Object) -> None:
    node("True")(value)
    value["nodes"][0]["spec"] = {"unschedulable": True}


def unmade(seconds: int, *reasons: str) -> Change:
    def change(value: Object) -> None:
        waits("ContainerCreating")(value)
        placed = (Snapshot.from_json(value).taken - timedelta(seconds=seconds)).isoformat()
        pod_of(value)["status"]["conditions"].append({"type": "PodScheduled", "status": "True", "lastTransitionTime": placed})
        value["events"] = []
        for reason in reasons:
            event(reason, "pulling")(value)
        conditions = pod_of(value)["status"]["conditions"]
        pod_of(value)["status"]["conditions"] = [c for c in conditions if c["type"] != "PodScheduled"] + conditions[-1:]

    return change


def agents(name: str, ready: int) -> Change:
    def change(value: Object) -> None:
        value["agents"] = [{"metadata": {"name": name}, "status": {"desiredNumberScheduled": 2, "numberReady": ready}}]

    return change


def secret_of_somebody(name: str) -> Change:
    def change(value: Object) -> None:
        pod_of(value)["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": name}}]
        value["secrets"], value["strange_secrets"] = {name: []}, [name]

    return change


def unseen(seconds: int) -> Change:
    def change(value: Object) -> None:
        unready(value)
        pod = pod_of(value)
        pod["spec"].pop("nodeName")
        pod["status"] = {"phase": "Pending"}
        pod["metadata"]["creationTimestamp"] = (Snapshot.from_json(value).taken - timedelta(seconds=seconds)).isoformat()

    return change


def strange_pod(*, owned: bool = False, ready: str = "True") -> Change:
    def change(value: Object) -> None:
        labels = value["workloads"][0]["spec"]["selector"]["matchLabels"]
        owner = [{"uid": "another"}] if owned else []
        metadata = {"name": "mine", "uid": "mine", "labels": labels, "ownerReferences": owner}
        condition = {"type": "Ready", "status": ready}
        value["pods"].append({"metadata": metadata, "spec": {"containers": []}, "status": {"conditions": [condition]}})

    return change


def endless(seconds: int, *finalizers: str) -> Change:
    """A pod beside the others whose grace has been over for so long."""

    def change(value: Object) -> None:
        over = datetime.fromisoformat(value["taken"]) - timedelta(seconds=seconds)
        metadata = {**value["pods"][0]["metadata"], "name": "old", "deletionTimestamp": over.isoformat(), "finalizers": finalizers}
        value["pods"].append({**value["pods"][0], "metadata": metadata})

    return change


def slices(*written_by: str) -> Change:
    """The Service's addresses, written by the cluster's controller or by others."""

    def change(value: Object) -> None:
        for number, writer in enumerate(written_by):
            labels = {"kubernetes.io/service-name": "healthy", "endpointslice.kubernetes.io/managed-by": writer}
            endpoints = [{"addresses": [f"10.0.0.{number}"]}]
            value["slices"] = [*value["slices"], {"metadata": {"name": f"slice-{number}", "labels": labels}, "endpoints": endpoints}]

    return change


def without_pods(value: Object) -> None:
    value["pods"] = []


def not_seen(value: Object) -> None:
    value["workloads"][0]["metadata"]["generation"] = 9


QUOTA = 'pods "healthy" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1'
WEBHOOK = 'Internal error occurred: failed calling webhook "x.example.com": service "nobody" not found'

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
    ("volume-lost", claim(there=False), "its volume claim data-0 is gone"),
    ("volume-lost", claim(deleted=True), "its volume claim data-0 is being deleted"),
    ("secret-lost", uses_secret(other=[]), "healthy: Secret app is gone"),
    ("secret-lost", uses_secret(app=["OTHER"]), "key URL of Secret app is gone"),
    ("quota-exceeded", refused_next(QUOTA), "no new pod of it can be made: the namespace's ResourceQuota has no room"),
    ("limit-range", refused_next('pods "healthy" is forbidden: maximum memory usage per Container is 1Mi'), "no new pod of it can be made"),
    ("webhook-down", refused_next(WEBHOOK), 'does not answer: Internal error occurred: failed calling webhook "x.example.com"'),
    ("webhook-down", refused(WEBHOOK), "an admission webhook that every new pod has to pass"),
    ("policy-strange", policies(""), "NetworkPolicy shut-0 says what its pods are let out, and none of the release does"),
    ("nodes-cordoned", cordoned, "no node takes new pods: "),
    ("scheduler-silent", unseen(40), "no scheduler has looked at its pod for 40 s"),
    ("runtime-silent", unmade(40), "has not begun its pod for 40 s, and does not say why"),
    ("network-down", agents("kube-proxy", 1), "it is ready on 1 of 2 nodes"),
    ("secret-strange", secret_of_somebody("healthy-backend-0123456789"), "is somebody else's, made under a name of ours"),
    ("pod-strange", strange_pod(), "the pod mine, which is not of it, wears its labels"),
    ("pod-endless", endless(90, "example.com/hold"), "the pod old should have ended 90 s ago, and is held by example.com/hold"),
    ("pod-endless", endless(90), "should have ended 90 s ago"),
    ("endpoints-strange", slices("endpointslice-controller.k8s.io", ""), "requests also to 10.0.0.1, which somebody"),
    ("controllers-silent", without_pods, "0 of 1 pods are there"),
    ("controllers-silent", not_seen, "its newest specification (9) has not been seen"),
    ("drain-blocked", budgets(0), "PodDisruptionBudget pdb-0 lets no drain of a node through: it wants 1 of 1 pods healthy"),
    ("drain-blocked", budgets(1, 1), "another one selects the same pods"),
    ("database-locked", exits(1, "asyncpg: canceling statement due to lock timeout"), "a query of it does not end"),
    ("database-busy", exits(1, "postgres: FATAL: sorry, too many clients already"), "the database has no connection left"),
    ("database-unwritable", exits(1, "psycopg: cannot execute INSERT in a read-only transaction"), "the database takes no writes"),
    ("database-certificate", exits(1, "postgres: SSL error: certificate has expired"), "the database's certificate is not accepted"),
    ("autoscaler-blind", autoscaler("FailedGetResourceMetric", timedelta(minutes=10)), "unable to get metrics for resource cpu"),
    ("autoscaler-blind", autoscaler("FailedGetResourceMetric", timedelta(seconds=5), served=False), "unable to get metrics"),
]  # fmt: skip


def changed(change: Change, recording: str = "healthy") -> Snapshot:
    value = copy.deepcopy(read_recording(recording).to_json())
    change(value)
    return Snapshot.from_json(value)


def found(change: Change, recording: str = "healthy") -> list[Diagnosis]:
    return diagnose(changed(change, recording))


@pytest.mark.parametrize(("code", "change", "says"), CASES, ids=[f"{code}: {says[:20]}" for code, _, says in CASES])
def test_each_cause_is_named(code: str, change: Change, says: str) -> None:
    (diagnosis,) = found(change)
    assert diagnosis.code == code
    assert says in diagnosis.cause
    assert diagnosis.evidence
    assert diagnosis.action


@pytest.mark.parametrize(
    ("key", "message", "action"),
    [
        ("maintenance", "1 node(s) had untolerated taint(s)", "kubectl taint node one maintenance:NoExecute-"),
        ("node.kubernetes.io/disk-pressure", "1 node(s) had untolerated taint(s)", "free what node one is short of"),
        ("node.kubernetes.io/not-ready", "1 node(s) had untolerated taint(s)", "compare what the pod asks for"),
        ("maintenance", "Too many pods", "end other pods"),
    ],
)
def test_a_pod_that_no_node_takes_is_told_with_the_way_onto_one(key: str, message: str, action: str) -> None:
    def tainted(value: Object) -> None:
        taints = [{"key": key, "effect": "NoExecute"}, {"key": "prefer", "effect": "PreferNoSchedule"}]
        value["nodes"] = [{"metadata": {"name": "one"}, "spec": {"taints": taints}}]

    (diagnosis,) = found(both(unplaced(f"0/1 nodes are available: {message}."), tainted))
    assert diagnosis.action.startswith(action)
    assert (f"node one has the taint {key}:NoExecute" in diagnosis.evidence) == ("taint" in message)


def test_every_code_is_made_by_a_recording_or_a_case() -> None:
    assert PATIENCE.keys() == {fault.code for fault in FAULTS} | {code for code, _, _ in CASES} | set(OTHERWISE)


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


@pytest.mark.parametrize(
    "change",
    [
        node("True"),
        dns(1),
        claim(),
        uses_secret(app=["URL", "OTHER"]),
        refused_next(QUOTA, kind="StatefulSet"),
        policies("", "healthy"),
        budgets(1),
        unseen(5),
        unmade(10),
        unmade(40, "Pulling"),
        agents("kube-proxy", 2),
        agents("log-shipper", 0),
        secret_of_somebody("of-the-company"),
        strange_pod(owned=True),
        endless(20),
        strange_pod(ready="False"),
        budgets(0, healthy=0),
        autoscaler("FailedGetResourceMetric", timedelta(minutes=1)),
        autoscaler("ScalingDisabled", timedelta(hours=1)),
    ],
    ids=[
        "the node is ready",
        "one DNS server is enough",
        "the claim is there",
        "the Secret is there",
        "its next pod replaces the old one",
        "the release shuts it too",
        "one may go",
        "the scheduler is about to look",
        "the node is about to begin",
        "the node pulls the image",
        "the network is whole",
        "somebody's agent is no network",
        "a Secret that the company made",
        "a pod of somebody's ReplicaSet",
        "a pod takes a little longer to end",
        "a pod that gets no requests",
        "it waits for a pod",
        "metrics come",
        "scaled by hand",
    ],
)
def test_surroundings_that_are_well_have_no_diagnosis(change: Change) -> None:
    assert found(change) == []


@pytest.mark.parametrize(
    ("release", "action"), [("", "raise or remove what somebody else made"), ("healthy", "raise namespaceRules.quota")]
)
def test_a_full_quota_says_whose_it_is(release: str, action: str) -> None:
    (diagnosis,) = found(refused_next(QUOTA, bound("ResourceQuota", release), bound("LimitRange")))
    assert diagnosis.action.startswith(action)


def test_a_node_where_nothing_of_ours_runs_does_not_count_beside_one_that_is_ready() -> None:
    def another(value: Object) -> None:
        node("True")(value)
        value["nodes"].append(copy.deepcopy(value["nodes"][0]))
        value["nodes"][1]["metadata"]["name"] = "another"
        value["nodes"][1]["status"]["conditions"][0]["status"] = "False"

    assert found(another) == []


def test_what_follows_from_the_node_or_the_dns_says_so() -> None:
    taint = unplaced("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.")
    root, symptom = found(both(taint, node("Unknown")))
    assert (root.code, symptom.code, symptom.follows_from) == ("node-not-ready", "unschedulable", root.workload)
    root, symptom = found(dns(0), "database-name")
    assert (root.code, symptom.code, symptom.follows_from) == ("dns-down", "database-name-unknown", "coredns")
    root, symptom = found(dns(0), "egress-blocked")
    assert (symptom.code, symptom.follows_from) == ("egress-blocked", "coredns")


def test_what_to_do_about_a_volume_elsewhere_depends_on_its_node() -> None:
    (cordoned,), (lost,) = found(three_nodes(cordoned=True)), found(three_nodes(there=False))
    assert cordoned.action == "kubectl uncordon one"
    assert "if its disk is lost, the data is too: kubectl delete persistentvolumeclaim data-0" in lost.action


def test_a_silent_node_names_the_pods_that_no_other_node_can_run() -> None:
    def on_it(value: Object) -> None:
        three_nodes(ready="Unknown")(value)
        pod_of(value)["spec"]["nodeName"] = "one"

    root, symptom = found(on_it)
    assert (root.code, symptom.code, symptom.follows_from) == ("node-not-ready", "volume-elsewhere", root.workload)
    assert any(line.startswith("the volume of ") and line.endswith(" is on it: no other node can run that pod") for line in root.evidence)


def test_what_is_only_to_come_is_told_after_what_is_wrong_now() -> None:
    full = refused_next(QUOTA)

    def two(value: Object) -> None:
        well = copy.deepcopy(value["workloads"][0])
        well["metadata"].update(name="well", uid="well")
        crashing(value)
        value["workloads"].insert(0, well)
        full(value)
        value["refusals"] = {"well": QUOTA}

    crashing = waits("InvalidImageName")
    assert [d.code for d in found(two)][-2:] == ["image-name-invalid", "quota-exceeded"]


def test_dns_that_was_scaled_away_says_how_to_bring_it_back() -> None:
    (diagnosis,) = found(dns(0, wanted=0))
    assert "scale deployment/coredns --replicas=1" in diagnosis.action


def test_a_container_killed_from_outside_says_when_it_starts_again() -> None:
    (diagnosis,) = found(exits(137, back_off="1m20s"))
    started = Snapshot.from_json(read_recording("healthy").to_json()).taken + timedelta(seconds=80)
    assert f"{started.astimezone():%H:%M:%S}" in diagnosis.cause
    assert not diagnosis.final_after(10_000)


@pytest.mark.parametrize(("installed", "action"), [(True, "see why the metrics API does not answer"), (False, "install metrics-server")])
def test_an_autoscaler_that_is_blind_says_whether_there_is_a_metrics_server_at_all(installed: bool, action: str) -> None:
    def blind(value: Object) -> None:
        autoscaler("FailedGetResourceMetric", timedelta(minutes=10))(value)
        if not installed:
            value["metrics_apis"] = []
            condition = value["autoscalers"][0]["status"]["conditions"][0]
            condition["message"] = (
                "unable to get metrics for resource cpu: the server could not find the requested resource (get pods.metrics.k8s.io)"
            )

    (diagnosis,) = found(blind)
    assert diagnosis.action.startswith(action)


def test_a_probe_that_failed_and_now_answers_well_is_not_mixed_up() -> None:
    def answers(value: Object) -> None:
        value["answers"] = dict.fromkeys(value["answers"], "200 ok")

    (diagnosis,) = found(answers, "readiness-http")
    assert "/ready answered 503 to its last probe, and answers 200 now" in diagnosis.cause


def test_a_workload_that_is_not_rolled_out_is_never_healthy() -> None:
    snapshot = changed(unready)
    assert diagnose(snapshot) == []
    (diagnosis,) = unexplained(snapshot, [])
    assert diagnosis.code == "not-rolled-out"
    assert "healthy 0/1" in diagnosis.cause
    assert unexplained(snapshot, [diagnosis]) == []
    assert unexplained(read_recording("healthy"), []) == []

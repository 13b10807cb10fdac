"""Faults of the installed app, around it and under it. One more is one more entry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from scripts.kubernetes.objects import name_of, request_of
from scripts.kubernetes.quantity import parse_quantity
from tests.checkout import RELEASE
from tests.faults.ground import Call, Ground
from tests.faults.releases import IMAGE

Object = dict[str, Any]


@dataclass(frozen=True)
class AppFault:
    """Something that is broken while the app runs, the code of the diagnosis that names it, and a part of its line."""

    name: str
    code: str
    """Empty: it does no harm, and nothing is to be said."""
    says: str = ""
    make: tuple[Call, ...] = ()
    act: Callable[[Ground], None] | None = None
    """What kubectl cannot do."""
    during: Callable[[Ground], AbstractContextManager[None]] | None = None
    """What lasts until it is named."""
    fix: tuple[Call, ...] = ()
    """What a person has to do before `invoke up` can heal it; nothing for what it heals alone."""
    then_up: bool = False
    """Whether `up` has something to do after the fix too."""
    loses_data: bool = False
    """Whether it takes the database: it is made last of all, and `up` has to heal it after the fix."""
    own: bool = False
    """Whether it needs the processes of the test cluster."""


def _patch(what: str, patch: str, kind: str = "merge") -> str:
    return f"patch {what} --type={kind} --patch='{patch}'"


def _policy(name: str, **spec: Any) -> Object:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}


def _limits(kind: str, **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "somebodys"}, "spec": spec}


def _shut_dns(ground: Ground) -> None:
    shut = _policy("somebodys", podSelector={"matchLabels": {"k8s-app": "kube-dns"}}, policyTypes=["Ingress"])
    ground.app.cluster.within("kube-system", "").kubectl("create", "--filename", "-", input=json.dumps(shut))


def _kill_postgres(ground: Ground) -> None:
    """Kill it until the kubelet lets it wait for its next start."""
    for _ in range(3):
        ground.kill_container("postgres")
        time.sleep(4)


def _delete_volume(ground: Ground) -> None:
    """Delete the volume of the database, and not its claim."""
    (claim,) = ground.app.cluster.get("persistentvolumeclaims", f"data-{RELEASE}-postgres-0")
    ground.app.cluster.kubectl("delete", "persistentvolume", claim["spec"]["volumeName"], "--wait=false")


def _resize(ground: Ground) -> None:
    """Somebody gives the backend's pods less of the processor."""
    resources = {"requests": {"cpu": "20m"}, "limits": {"cpu": "20m"}}
    patch = json.dumps({"spec": {"containers": [{"name": "backend", "resources": resources}]}})
    for pod in ground.app.cluster.get("pods", "--selector=app.kubernetes.io/component=backend"):
        ground.app.cluster.kubectl("patch", "pod", name_of(pod), "--subresource=resize", f"--patch={patch}")


def _crowd(ground: Ground) -> None:
    """Somebody's pod takes all but a hundredth of a CPU that is free."""
    (node,) = ground.app.cluster.get("nodes")
    everything = json.loads(ground.app.cluster.kubectl("get", "pods", "--all-namespaces", "--output=json").stdout)["items"]
    taken = sum(request_of(pod, "cpu") for pod in everything)
    free = int(1000 * (parse_quantity(node["status"]["allocatable"]["cpu"]) - taken)) - 10
    asks = {"name": "app", "image": IMAGE, "command": ["sh", "-c", "sleep 100000"], "resources": {"requests": {"cpu": f"{free}m"}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "somebodys"}, "spec": {"containers": [asks]}}
    default = ground.app.cluster.within("default", "")
    default.kubectl("create", "--filename=-", input=json.dumps(pod))
    default.kubectl("wait", "pod/somebodys", "--for=condition=PodScheduled", "--timeout=20s")


@contextmanager
def _table_locked(ground: Ground) -> Iterator[None]:
    """Somebody's transaction holds the table of todos."""
    psql = ("exec", f"{RELEASE}-postgres-0", "--container=postgres", "--", "psql", "--username=todo", "--command")
    with subprocess.Popen(ground.app.cluster.kubectl_argv(*psql, LOCK), stderr=subprocess.DEVNULL):
        try:
            yield
        finally:
            ground.app.cluster.kubectl(*psql, UNLOCK)


@contextmanager
def _table_busy(ground: Ground) -> Iterator[None]:
    """Somebody's job holds the table of todos again and again, each time for longer than a person waits gladly."""
    psql = ("exec", f"{RELEASE}-postgres-0", "--container=postgres", "--", "psql", "--username=todo", "--command")
    with subprocess.Popen(ground.app.cluster.kubectl_argv(*psql, LOCK_AGAIN), stderr=subprocess.DEVNULL):
        try:
            yield
        finally:
            ground.app.cluster.kubectl(*psql, UNLOCK)


@contextmanager
def _pod_hangs(ground: Ground) -> Iterator[None]:
    """One of two pods stands still; its probes have not failed yet."""
    process = ground.process_of("backend")
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # its liveness probe may have had it killed
            os.kill(process, signal.SIGCONT)


@contextmanager
def _read_only(ground: Ground) -> Iterator[None]:
    """Somebody has set the database to take no writes; sessions that are open would not know of it."""
    psql = ("exec", f"{RELEASE}-postgres-0", "--container=postgres", "--", "psql", "--username=todo")
    ground.app.cluster.kubectl(*psql, "--command", f"{READ_ONLY} = on", "--command", END_SESSIONS)
    try:
        yield
    finally:
        writes = ("--command", "SET default_transaction_read_only = off", "--command", f"{READ_ONLY} = off", "--command", END_SESSIONS)
        ground.app.cluster.kubectl(*psql, *writes)


READ_ONLY = "ALTER DATABASE todo SET default_transaction_read_only"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr IS NOT NULL"
LOCK = "BEGIN; LOCK TABLE todos IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"
LOCK_AGAIN = "DO $$ BEGIN FOR i IN 1..300 LOOP LOCK TABLE todos IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(2.5); COMMIT; END LOOP; END $$"
UNLOCK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
DNS_READS = '[{"op": "replace", "path": "/rules/0/resources/1", "value": "%s"}]'
PSQL = "exec $r-postgres-0 --container=postgres -- psql --username=todo"
FUNCTION = "CREATE FUNCTION somebodys() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
TRIGGER = "CREATE TRIGGER somebodys BEFORE UPDATE ON todos FOR EACH ROW EXECUTE FUNCTION somebodys()"
"""No update of a todo changes anything."""
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "somebodys"},
    "spec": {"minAvailable": "100%", "selector": {"matchLabels": {"app.kubernetes.io/component": "postgres"}}},
}
OURS = {"matchLabels": {"kubernetes.io/metadata.name": "$r"}}
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "todo-tests-somebodys"},
    "webhooks": [
        {
            "name": "pods.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "clientConfig": {"service": {"namespace": "default", "name": "nobody"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "namespaceSelector": OURS,
        }
    ],
}
NO_PODS: tuple[Object, ...] = (
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "todo-tests-somebodys"},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": OURS,
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            },
            "validations": [{"expression": "false", "message": "no pods today"}],
        },
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "todo-tests-somebodys"},
        "spec": {"policyName": "todo-tests-somebodys", "validationActions": ["Deny"]},
    },
)
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "$r-backend"}, "spec": {"ports": [{"port": 80}]}}
PROBE = '[{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/path", "value": "/nowhere"}]'
BAD_IMAGE = '[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "todo-backend:h000000000000"}]'
SYSTEM = "--namespace=kube-system"
DELETE_PODS = "delete pods --selector=app.kubernetes.io/component=frontend --wait=false"
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {"name": "somebodys", "labels": {"kubernetes.io/service-name": "$r-backend"}},
    "addressType": "IPv4",
    "ports": [{"name": "http", "port": 8000}],
    "endpoints": [{"addresses": ["10.99.99.99"]}],
}
STRANGER = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "somebodys",
        "labels": {
            "app.kubernetes.io/name": "todo-chatbot",
            "app.kubernetes.io/instance": "$r",
            "app.kubernetes.io/component": "backend",
        },
    },
    "spec": {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "app",
                "image": IMAGE,
                "command": ["sh", "-c", "sleep 100000"],
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                "resources": {
                    "requests": {"cpu": "20m", "memory": "32Mi", "ephemeral-storage": "16Mi"},
                    "limits": {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "32Mi"},
                },
            }
        ],
    },
}

APP_FAULTS = (
    AppFault("scaled to 0", "drifted", "spec.replicas is 0", ("scale deployment/$r-frontend --replicas=0",)),
    AppFault("Service's selector", "drifted", "spec.selector", (_patch("service/$r-frontend", '{"spec": {"selector": {"a": "b"}}}'),)),
    AppFault("probe", "drifted", "readinessProbe", (_patch("deployment/$r-backend", PROBE, "json"),)),
    AppFault("image", "drifted", "todo-backend:h000000000000", (_patch("deployment/$r-backend", BAD_IMAGE, "json"),)),
    AppFault("policy", "drifted", "spec.egress", (_patch("networkpolicy/$r-backend", '{"spec": {"egress": []}}'),)),
    AppFault("Service made again", "drifted", "is somebody else's", ("delete service/$r-backend", SERVICE)),
    AppFault(
        "value in place of a reference", "drifted", "was added by kubectl-set", ("set env deployment/$r-frontend API_TOKEN=somebodys",)
    ),
    AppFault("ServiceAccount", "drifted", "is gone", ("delete serviceaccount/$r-backend",)),
    AppFault("Secrets", "secret-lost", "is gone: its pods run on", ("delete secrets --selector=app.kubernetes.io/part-of=$r",)),
    AppFault(
        "helm past us", "release-strange", "LOG_LEVEL",
        act=lambda ground: ground.app.upgrade(services__backend__env__LOG_LEVEL="error"),
    ),
    AppFault("drain", "drain-blocked", "somebodys", (BUDGET,), fix=("delete poddisruptionbudget somebodys",)),
    AppFault(
        "somebody's quota", "quota-exceeded", "no new pod of it can be made", (_limits("ResourceQuota", hard={"pods": "1"}),),
        fix=("delete resourcequota somebodys",),
    ),
    AppFault(
        "LimitRange", "limit-range", "maximum memory usage per Container", fix=("delete limitrange somebodys",),
        make=(_limits("LimitRange", limits=[{"type": "Container", "max": {"memory": "16Mi"}}]),),
    ),
    AppFault(
        "webhook", "webhook-down", "pods.example.com", (WEBHOOK,), fix=("delete validatingwebhookconfiguration todo-tests-somebodys",)
    ),
    AppFault(
        "webhook, and pods that have gone", "webhook-down", "pods.example.com", (WEBHOOK, DELETE_PODS), then_up=True,
        fix=("delete validatingwebhookconfiguration todo-tests-somebodys",),
    ),
    AppFault(
        "admission policy", "pod-refused", "no pods today", NO_PODS,
        fix=("delete validatingadmissionpolicy,validatingadmissionpolicybinding todo-tests-somebodys",),
    ),
    AppFault(
        "default-deny beside ours", "", "", (_policy("somebodys", podSelector={}, policyTypes=["Ingress", "Egress"]),),
        fix=("delete networkpolicy somebodys",),
    ),
    AppFault(
        "DNS", "dns-down", "no pod of the cluster's DNS is ready", (f"{SYSTEM} scale deployment/coredns --replicas=0",),
        fix=(f"{SYSTEM} scale deployment/coredns --replicas=1", f"{SYSTEM} rollout status deployment/coredns --timeout=60s"),
    ),
    AppFault(
        "DNS shut off", "dns-blocked", "keep the pods' questions from the cluster's DNS", act=_shut_dns,
        fix=(f"{SYSTEM} delete networkpolicy somebodys",),
    ),
    AppFault(
        "DNS' rights", "dns-at-risk", "may not list services", own=True,
        make=(_patch("clusterrole/system:coredns", DNS_READS % "none", "json"),),
        fix=(_patch("clusterrole/system:coredns", DNS_READS % "services", "json"),),
    ),
    AppFault(
        "no room for an update", "no-room-for-update", "of CPU free for one pod more", act=_crowd, own=True,
        fix=("delete pod somebodys --namespace=default --grace-period=1",),
    ),
    AppFault(
        "trigger that keeps old rows", "database-setting", "the table todos has the trigger somebodys",
        (f'{PSQL} --command "{FUNCTION}" --command "{TRIGGER}"',), fix=(f"{PSQL} --command 'DROP FUNCTION somebodys CASCADE'",),
    ),
    AppFault(
        "metrics", "autoscaler-blind", "cannot read its metrics", (f"{SYSTEM} scale deployment/metrics-server --replicas=0",), own=True,
        fix=(f"{SYSTEM} scale deployment/metrics-server --replicas=1", f"{SYSTEM} rollout status deployment/metrics-server --timeout=60s",
              "wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=60s"),
    ),
    AppFault("Postgres killed", "killed-from-outside", "was killed from outside by SIGKILL", act=_kill_postgres, own=True),
    AppFault(
        "claim", "volume-lost", "is being deleted", ("delete persistentvolumeclaim data-$r-postgres-0 --wait=false",), loses_data=True,
        fix=("delete pod $r-postgres-0",),
    ),
    AppFault(
        "volume of the database", "volume-lost", "and goes once its claim", act=_delete_volume, loses_data=True,
        fix=("delete persistentvolumeclaim data-$r-postgres-0 --wait=false", "delete pod $r-postgres-0"),
    ),
    AppFault("node", "node-not-ready", "the node is not ready", own=True, during=lambda ground: ground.own.paused("kubelet")),  # type: ignore[union-attr]
    AppFault(
        "cordon", "nodes-cordoned", "no node takes new pods", ("cordon --selector=kubernetes.io/os=linux",),
        fix=("uncordon --selector=kubernetes.io/os=linux",),
    ),
    AppFault("somebody's pod", "pod-strange", "wears its labels", (STRANGER,), fix=("delete pod somebodys --grace-period=1",)),
    AppFault("somebody's addresses", "endpoints-strange", "sends requests also to", (SLICE,), fix=("delete endpointslice somebodys",)),
    AppFault(
        "pods resized", "pod-changed", "limits.cpu is 20m", act=_resize,
        fix=("delete pod --selector=app.kubernetes.io/component=backend",),
    ),
    AppFault("read-only database", "database-setting", "default_transaction_read_only=on", during=_read_only),
    AppFault("table locked", "requests-failing", "backend: GET /api/todos fails", during=_table_locked),
    AppFault("pod that hangs", "answers-wrong", "(1 of 2 pods)", own=True, during=_pod_hangs),
    AppFault("database that waits", "requests-slow", "is slow: ", during=_table_busy),
    AppFault(
        "scheduler", "scheduler-silent", "no scheduler has looked", (DELETE_PODS,), own=True,
        during=lambda ground: ground.own.paused("kube-scheduler"),  # type: ignore[union-attr]
    ),
    AppFault(
        "controllers", "controllers-silent", "do not act on it", (DELETE_PODS,), own=True,
        during=lambda ground: ground.own.paused("kube-controller-manager"),  # type: ignore[union-attr]
    ),
    AppFault(
        "image gone from the node", "image-not-on-node", "is not on node", ("delete pods --selector=app.kubernetes.io/component=frontend",),
        act=lambda ground: ground.forget_images("frontend"), own=True,
    ),
)  # fmt: skip

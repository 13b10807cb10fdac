"""Releases that cannot come up, each for one reason, made of one small image: a static busybox and a script.

Each is a Deployment that is called like its fault, and its own release, so that many can be wrong side by side in a namespace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

IMAGE = "docker.io/library/todo-fault:1"
ROOT_IMAGE = "docker.io/library/todo-fault-root:1"
USER = "10001"
SERVES = "while :; do nc -ll -p 8000 -e answer 200 ok; done"
RUNS = "sleep 100000"
HTTP = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1, "failureThreshold": 2}
REQUESTS = {"cpu": "5m", "memory": "8Mi"}
ANSWER = """#!/bin/busybox sh
# One HTTP answer on standard output: answer STATUS BODY. It reads the whole request first, so that nobody is cut short.
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.1 %s Answer\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s' "$1" "${#2}" "$2"
"""
CONNECT = """#!/bin/busybox sh
# Tries a connection as a migration does, and ends with the words of ours when there is none: connect HOST PORT.
said=$(nc -w 3 "$1" "$2" </dev/null 2>&1 >/dev/null) && { echo connected; exit 0; }
case $said in
*'bad address'*) why='DNS name not found' ;;
*refused*) why='connection refused' ;;
*) why='timed out (egress blocked?)' ;;
esac
echo "$said" >&2
echo "error: $why" >&2
exit 1
"""
APPLETS = ("sh", "sleep", "nc", "dd", "touch", "nslookup", "ls", "hostname", "sed")


@dataclass(frozen=True)
class Fault:
    """A release that is wrong in one way, and the code of the diagnosis that names it."""

    name: str
    code: str
    """Empty: nothing is wrong."""
    pod: Object
    says: str
    """A part of the cause's line that a person needs."""
    where: str = "plain"
    """Which of the tests' namespaces it needs: plain, quota, limits or restricted."""
    beside: tuple[Object, ...] = field(default=())
    """Other objects that it needs."""
    spec: Object = field(default_factory=dict)
    """More of the Deployment's specification."""

    def objects(self) -> list[Object]:
        """Return the Deployment and what it needs."""
        labels = {"app.kubernetes.io/instance": self.name}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "labels": labels},
            "spec": {
                "selector": {"matchLabels": labels},
                **self.spec,
                "template": {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, **self.pod}},
            },
        }
        beside = [{**o, "metadata": {**o["metadata"], "labels": labels}} for o in self.beside]
        return [*beside, deployment]


def pod(script: str = RUNS, *, init: str = "", volumes: tuple[Object, ...] = (), **container: Any) -> Object:
    """Return a pod specification with one container `app` that runs a script, and an init container `migrate` if `init` is given."""
    parts: Object = {"containers": [{**_container("app", script), "ports": [{"name": "http", "containerPort": 8000}], **container}]}
    if init:
        parts["initContainers"] = [_container("migrate", init)]
    if volumes:
        parts["volumes"] = list(volumes)
    return parts


def _container(name: str, script: str) -> Object:
    return {
        "name": name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "resources": {"requests": REQUESTS},
    }


def _env(source: str, name: str, key: str) -> list[Object]:
    return [{"name": "DATABASE_URL", "valueFrom": {source: {"name": name, "key": key}}}]


def _resources(**requests: str) -> Object:
    return {"requests": requests}


def _connects(host: str, port: int) -> str:
    """A script that tries a real connection; the policy engine has a moment to learn the pod's address first."""
    return f"sleep 3; connect {host} {port}"


def _connects_until_it_cannot(host: str, port: int) -> str:
    """Like `_connects`, where a policy forbids it: each policy engine has its own time to learn the pod's address."""
    return f"sleep 3; tries=40; while connect {host} {port}; do tries=$((tries - 1)); [ $tries -gt 0 ] || exit 0; sleep 1; done; exit 1"


# An address beside the pod's own that no pod has. One on the internet would not do: some networks answer for all of it.
NOBODY = "$(hostname -i | sed 's/[0-9]*$/250/')"
DENY_EGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "no-way-out"},
    "spec": {
        "podSelector": {"matchLabels": {"app.kubernetes.io/instance": "egress-blocked"}},
        "policyTypes": ["Egress"],
        "egress": [{"ports": [{"protocol": "UDP", "port": 53}]}],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "healthy"},
    "spec": {"clusterIP": "None", "selector": {"app.kubernetes.io/instance": "healthy"}, "ports": [{"name": "http", "port": 8000}]},
}
OTHER_SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "has-another-key"}, "stringData": {"OTHER": "x"}}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "no-such-class", "resources": {"requests": {"storage": "1Gi"}}},
}

FAULTS = [
    Fault("image-missing", "image-not-on-node", pod(image="todo-missing:h000000000000"), "todo-missing:h000000000000"),
    Fault("image-never", "image-not-on-node", pod(image="todo-missing:h1", imagePullPolicy="Never"), "may not be pulled"),
    Fault("image-name", "image-name-invalid", pod(image="todo_backend::h1"), "`todo_backend::h1`"),
    Fault("secret", "secret-missing", pod(env=_env("secretKeyRef", "no-such-secret", "DATABASE_URL")), "Secret no-such-secret"),
    Fault(
        "secret-volume",
        "secret-missing",
        pod(volumes=({"name": "v", "secret": {"secretName": "no-such-secret"}},), volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        "Secret no-such-secret",
    ),
    Fault(
        "secret-key",
        "secret-key-missing",
        pod(env=_env("secretKeyRef", "has-another-key", "DATABASE_URL")),
        "key DATABASE_URL of Secret has-another-key",
        beside=(OTHER_SECRET,),
    ),
    Fault("configmap", "configmap-missing", pod(env=_env("configMapKeyRef", "no-such-map", "MODE")), "ConfigMap no-such-map"),
    Fault("crash", "crash-on-start", pod("echo 'cannot parse settings: PORT' >&2; exit 3"), "exit code 3: cannot parse settings: PORT"),
    Fault("crash-later", "crash-later", pod("sleep 12; echo 'lost my way' >&2; exit 1"), "lost my way"),
    Fault("ended", "ended-by-itself", pod("echo done"), "exit code 0"),
    Fault("no-program", "program-not-started", pod(command=["/no/such/program"]), "/no/such/program"),
    Fault(
        "memory",
        "out-of-memory",
        pod(command=["dd", "if=/dev/zero", "of=/dev/null", "bs=200M"], resources={"requests": REQUESTS, "limits": {"memory": "24Mi"}}),
        "its limit of 24Mi",
    ),
    Fault("liveness", "liveness-failing", pod(livenessProbe={**HTTP, "initialDelaySeconds": 1}), "connection refused"),
    Fault(
        "readiness-http",
        "readiness-http",
        pod(
            'while :; do nc -ll -p 8000 -e answer 503 \'{"status":"unavailable","reason":"connection refused"}\'; done', readinessProbe=HTTP
        ),
        '/ready answers 503 {"status":"unavailable","reason":"connection refused"}',
    ),
    Fault("readiness-refused", "readiness-refused", pod(readinessProbe=HTTP), "nothing listens"),
    Fault("startup", "startup-too-slow", pod(startupProbe={**HTTP, "failureThreshold": 4}), "(4 s)"),
    Fault("root", "runs-as-root", pod(image=ROOT_IMAGE, securityContext={"runAsNonRoot": True}), "must not run as root"),
    Fault(
        "read-only",
        "read-only-file-system",
        pod("echo x > /cache.txt", securityContext={"readOnlyRootFilesystem": True}),
        "/cache.txt: Read-only file system",
    ),
    Fault("cpu", "unschedulable-cpu", pod(resources=_resources(cpu="640", memory="8Mi")), "no node has 640 of CPU free"),
    Fault(
        "too-much-memory", "unschedulable-memory", pod(resources=_resources(cpu="5m", memory="4Ti")), "no node has 4096Gi of memory free"
    ),
    Fault("quota", "quota-exceeded", pod(resources=_resources(cpu="500m", memory="8Mi")), "requests.cpu=500m", where="quota"),
    Fault(
        "limit-range",
        "limit-range",
        pod(resources={"requests": REQUESTS, "limits": {"memory": "2Gi"}}),
        "maximum memory usage per Container is 1Gi",
        where="limits",
    ),
    Fault("pod-security", "pod-security", pod(), "allowPrivilegeEscalation != false", where="restricted"),
    Fault(
        "service-account",
        "service-account-missing",
        {**pod(), "serviceAccountName": "no-such-account"},
        'serviceaccount "no-such-account" not found',
    ),
    Fault(
        "volume",
        "volume-unbound",
        pod(volumes=({"name": "v", "persistentVolumeClaim": {"claimName": "data"}},), volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        '"no-such-class" not found',
        beside=(CLAIM,),
    ),
    Fault(
        "migration",
        "migration-failed",
        pod(init="echo 'error: migration failed: column \"due_date\" does not exist' >&2; exit 1"),
        'column "due_date" does not exist',
    ),
    Fault("database-refused", "database-refused", pod(init=_connects("127.0.0.1", 5432)), "connection refused"),
    Fault(
        "database-waits",
        "database-refused",
        pod(init='echo \'{"level":"info","message":"waiting for the database","reason":"connection refused"}\'; sleep 1000'),
        "waiting for the database: connection refused",
    ),
    Fault(
        "database-name",
        "database-name-unknown",
        pod(init=_connects("no-such-database.default.svc.cluster.local.", 5432)),
        "DNS name not found",
    ),
    Fault(
        "database-silent",
        "database-silent",
        pod(init=_connects(NOBODY, 5432)),
        "does not answer",
    ),
    Fault(
        "egress-blocked",
        "egress-blocked",
        pod(init=_connects_until_it_cannot("healthy", 8000)),
        "no-way-out",
        beside=(DENY_EGRESS,),
    ),
]
HEALTHY = [
    Fault("healthy", "", pod(SERVES, readinessProbe=HTTP, livenessProbe=HTTP), "", beside=(SERVICE,)),
    Fault("connected", "", pod(init=_connects("healthy", 8000)), ""),
    Fault(
        "healed",
        "",
        pod("[ -e /v/once ] || { touch /v/once; exit 1; }; sleep 100000",
            volumes=({"name": "v", "emptyDir": {}},), volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        "",
    ),
]  # fmt: skip
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "small"},
    "spec": {"hard": {"requests.cpu": "100m", "requests.memory": "1Gi"}},
}
LIMITS = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small"},
    "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]},
}
NAMESPACES: dict[str, dict[str, str]] = {
    "plain": {},
    "quota": {},
    "limits": {},
    "restricted": {"pod-security.kubernetes.io/enforce": "restricted"},
}
RULES: dict[str, tuple[Object, ...]] = {"quota": (QUOTA,), "limits": (LIMITS,)}
"""What the namespaces hold beside the releases."""
RESTRICTED: Object = {
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "runAsUser": int(USER),
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
}
"""What a container needs to be let into every one of them."""

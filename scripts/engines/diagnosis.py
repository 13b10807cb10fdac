"""Why a release does not come up: from a snapshot to causes. Pure; the ladder and the codes are in `specs/diagnosis.md`."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from scripts.engines import snapshot as seen
from scripts.engines.snapshot import Snapshot, name_of

if TYPE_CHECKING:
    from scripts.engines.cluster import Object

SHORT_RUN = timedelta(seconds=10)  # a run that ends sooner crashed on start
RECENTLY = timedelta(minutes=5)
LOG_LINES = 5
LONGEST_LINE = 300
OUR_TAG = re.compile(r":h[0-9a-f]{12}$")  # scripts/core/images.py gives it to what we build


@dataclass(frozen=True)
class Patience:
    """When a cause counts as final: after it has lasted so many seconds and so many runs of a container have died."""

    seconds: float = 0
    deaths: int = 0


NEVER_FINAL = Patience(seconds=float("inf"))
DATABASE_CODES = ("database-name-unknown", "database-refused", "egress-blocked", "database-silent")
PATIENCE = {
    "image-not-on-node": Patience(10),
    "image-name-invalid": Patience(),
    "secret-missing": Patience(5),
    "secret-key-missing": Patience(5),
    "configmap-missing": Patience(5),
    "configmap-key-missing": Patience(5),
    "not-configured": Patience(5),
    "runs-as-root": Patience(),
    "program-not-started": Patience(5),
    "wrong-architecture": Patience(),
    "out-of-memory": Patience(deaths=2),
    "liveness-failing": Patience(deaths=2),
    "startup-too-slow": Patience(deaths=1),
    "read-only-file-system": Patience(deaths=2),
    **dict.fromkeys(DATABASE_CODES, Patience(60)),
    "migration-failed": Patience(deaths=2),
    "crash-on-start": Patience(deaths=3),
    "crash-later": Patience(deaths=3),
    "ended-by-itself": Patience(deaths=3),
    "readiness-http": NEVER_FINAL,
    "readiness-refused": NEVER_FINAL,
    "readiness-timeout": NEVER_FINAL,
    "readiness-failing": NEVER_FINAL,
    "unschedulable-cpu": Patience(20),
    "unschedulable-memory": Patience(20),
    "unschedulable": Patience(20),
    "volume-unbound": Patience(20),
    "volume-not-mounted": Patience(30),
    "sandbox-failed": Patience(30),
    "evicted": Patience(30),
    "quota-exceeded": Patience(20),
    "limit-range": Patience(3),
    "pod-security": Patience(3),
    "service-account-missing": Patience(3),
    "pod-refused": Patience(10),
    "stalled": Patience(),
}
"""Every code that a diagnosis can have."""


@dataclass(frozen=True)
class Diagnosis:
    """One cause why a workload is not well."""

    code: str
    workload: str
    cause: str
    evidence: tuple[str, ...]
    action: str
    deaths: int = 0
    """How many runs of the container have died."""
    follows_from: str = ""
    """The workload whose own diagnosis explains this one."""

    def final_after(self, seconds: float) -> bool:
        """Return whether waiting longer is in vain, when the cause has lasted this many seconds."""
        patience = PATIENCE[self.code]
        return not self.follows_from and seconds >= patience.seconds and self.deaths >= patience.deaths


def diagnose(snapshot: Snapshot) -> list[Diagnosis]:
    """Return the causes that keep the release from being well, roots before what follows from them; none for a healthy one.

    A workload that only needs more time has none.
    """
    found = [d for workload in snapshot.workloads for d in _of_workload(snapshot, workload)]
    databases = {name_of(workload) for workload in snapshot.workloads if workload["kind"] == "StatefulSet"}
    linked = [replace(d, follows_from=_root_of(d, found, databases)) for d in found]
    return sorted(linked, key=lambda d: bool(d.follows_from))


def _root_of(diagnosis: Diagnosis, all_found: Sequence[Diagnosis], databases: Collection[str]) -> str:
    """The other ailing workload that this one needs: our own database, or one that its log or probe answer names."""
    roots = [d.workload for d in all_found if d.workload != diagnosis.workload and d.code not in DATABASE_CODES]
    words = set(re.findall(r"[a-z0-9-]+", " ".join(diagnosis.evidence)))
    if diagnosis.code in DATABASE_CODES:
        return next((root for root in roots if root in databases or root in words), "")
    if diagnosis.code == "readiness-http":
        return next((root for root in roots if root in words), "")
    return ""


def _of_workload(snapshot: Snapshot, workload: Object) -> list[Diagnosis]:
    """One diagnosis for each different cause among the workload's pods."""
    if seen.rolled_out(workload):
        found = [_keeps_dying(snapshot, workload, pod) for pod in snapshot.pods_of(workload)]
    else:
        found = [_refused_pods(snapshot, workload)]
        found += [_of_pod(snapshot, workload, pod) for pod in snapshot.pods_of(workload)]
        if not any(found):
            found = [_stalled(workload)]
    by_code: dict[str, Diagnosis] = {}
    for diagnosis in found:
        if diagnosis and diagnosis.deaths >= by_code.get(diagnosis.code, diagnosis).deaths:
            by_code[diagnosis.code] = diagnosis
    return list(by_code.values())


REFUSALS = (
    # (part of the message, code, what happened, what to do)
    ("exceeded quota", "quota-exceeded", "the namespace's ResourceQuota has no room for another pod",
     "raise namespaceRules.quota in the chart's values, or lower requests, limits or replicas"),
    ("failed quota", "quota-exceeded", "a ResourceQuota wants requests and limits that the pod does not state",
     "state the requests and limits that the quota counts"),
    ("violates PodSecurity", "pod-security", "the namespace's Pod Security level refuses the pod",
     "mend the securityContext of the pod; the level is a label of the namespace"),
    (" per Container is ", "limit-range", "a LimitRange refuses the pod's requests or limits",
     "keep resources within namespaceRules.containerLimits"),
    (" per Pod is ", "limit-range", "a LimitRange refuses the pod's requests or limits", "keep resources within the LimitRange"),
    ("error looking up service account", "service-account-missing", "the pod's ServiceAccount does not exist",
     "install the chart again: invoke up"),
)  # fmt: skip


def _refused_pods(snapshot: Snapshot, workload: Object) -> Diagnosis | None:
    """The API server refuses the pods that the controller wants to make."""
    message = ""
    maker: Object | None = workload
    if workload["kind"] == "Deployment":
        maker = seen.newest_replica_set(workload, snapshot.replica_sets)
        failure = seen.condition(maker, "ReplicaFailure") if maker else {}
        message = str(failure.get("message", ""))
    elif len(snapshot.pods_of(workload)) < seen.wanted(workload):
        newest = snapshot.events_of(workload, "FailedCreate", "SuccessfulCreate")[:1]
        message = str(newest[0]["message"]) if newest and newest[0]["reason"] == "FailedCreate" else ""
    if maker is None or not message:
        return None
    told = message.split(" is forbidden: ", 1)[-1]
    evidence = [f"{maker['kind']} {name_of(maker)}: FailedCreate: {message}"]
    for part, code, what, action in REFUSALS:
        if part in message:
            return _diagnosis(workload, code, f"{what}: {told}", evidence, action)
    return _diagnosis(workload, "pod-refused", f"its pods are refused: {told}", evidence, "mend what the message names, then invoke up")


def _stalled(workload: Object) -> Diagnosis | None:
    progressing = seen.condition(workload, "Progressing")
    if progressing.get("reason") != "ProgressDeadlineExceeded":
        return None
    return _diagnosis(
        workload,
        "stalled",
        "the rollout made no progress for its whole progressDeadlineSeconds",
        [f"{workload['kind']} {name_of(workload)}: {progressing.get('message', '')}"],
        "invoke status, invoke logs SERVICE",
    )


@dataclass(frozen=True)
class _Case:
    """One container of one pod of a workload, as the rungs see it."""

    snapshot: Snapshot
    workload: Object
    pod: Object
    spec: Object
    status: Object
    init: bool

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def waiting(self) -> Object:
        return self.status.get("state", {}).get("waiting") or {}

    @property
    def death(self) -> Object:
        return seen.last_death(self.status)

    @property
    def died_recently(self) -> bool:
        return self.snapshot.taken - seen.time_of(self.death.get("finishedAt")) < RECENTLY

    @property
    def log(self) -> list[str]:
        lines = self.snapshot.logs.get(f"{name_of(self.pod)}/{self.name}", ())
        return [_words_of(line) for line in lines if line.strip()]

    @property
    def logs(self) -> str:
        """The command that shows more of the log."""
        return f"invoke logs {name_of(self.workload).removeprefix(f'{self.snapshot.release}-')}"

    def events(self, *reasons: str) -> list[Object]:
        """The pod's events about this container."""
        path = re.compile(rf"spec\.\w+\{{{re.escape(self.name)}\}}")
        found = self.snapshot.events_of(self.pod, *reasons)
        return [e for e in found if path.fullmatch(e["involvedObject"].get("fieldPath", ""))]

    def diagnosis(self, code: str, cause: str, action: str, events: Sequence[Object] = ()) -> Diagnosis:
        """Return a diagnosis with the container's state, these events and its last log lines as evidence."""
        evidence = [f"pod {name_of(self.pod)}, container {self.name}: {_state(self.status)}"]
        evidence += [_event_line(e) for e in events[:2]]
        evidence += [f"log: {line}" for line in self.log[-LOG_LINES:]]
        return _diagnosis(self.workload, code, cause, evidence, action, deaths=seen.deaths(self.status))


Rung = Callable[[_Case], Diagnosis | None]


def _of_pod(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    if seen.ready(pod):
        return _keeps_dying(snapshot, workload, pod)
    for rung in (_evicted, _not_placed, _not_prepared):
        if found := rung(snapshot, workload, pod):
            return found
    for case in _cases(snapshot, workload, pod):
        for container_rung in CONTAINER_RUNGS:
            if found := container_rung(case):
                return found
    return None


def _cases(snapshot: Snapshot, workload: Object, pod: Object) -> Iterator[_Case]:
    for spec, status, init in seen.containers(pod):
        yield _Case(snapshot, workload, pod, spec, status, init)


def _keeps_dying(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """A pod that is ready now, and whose container has died again and again, or was killed by its liveness probe, of late."""
    for case in _cases(snapshot, workload, pod):
        if case.init or not case.death or not case.died_recently:
            continue
        found = _died(case)
        if found and (found.deaths >= 2 or found.code == "liveness-failing"):
            return found
    return None


def _evicted(_snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    status = pod.get("status", {})
    if status.get("reason") != "Evicted":
        return None
    message = str(status.get("message", "")).strip()
    return _diagnosis(
        workload,
        "evicted",
        f"the node threw its pod out: {message}",
        [f"pod {name_of(pod)}: {status.get('phase')}, Evicted: {message}"],
        "raise the limit that the message names, or free the node's disk or memory",
    )


def _not_placed(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    scheduled = seen.condition(pod, "PodScheduled")
    if scheduled.get("status") != "False":
        return None
    message = str(scheduled.get("message", ""))
    evidence = [f"pod {name_of(pod)}: {scheduled.get('reason', 'Unschedulable')}: {message}"]
    if re.search(r"persistentvolumeclaim|persistent volumes? to bind|unbound immediate", message, re.IGNORECASE):
        return _volume_unbound(snapshot, workload, pod, evidence)
    for resource in ("cpu", "memory"):
        if f"Insufficient {resource}" in message:
            return _no_room(snapshot, workload, pod, resource, evidence)
    return _diagnosis(
        workload,
        "unschedulable",
        f"no node takes its pod: {message}",
        evidence,
        "compare what the pod asks for with the nodes' labels and taints",
    )


def _no_room(snapshot: Snapshot, workload: Object, pod: Object, resource: str, evidence: Sequence[str]) -> Diagnosis:
    """Too little CPU or memory: the request against what each node offers and has given away."""
    asked = seen.request_of(pod, resource)
    sizes, largest = [], Decimal(0)
    for node in snapshot.nodes:
        offers = seen.quantity(node["status"]["allocatable"][resource])
        placed = [p for p in snapshot.placed_pods if _runs_on(p, name_of(node))]
        taken = sum((seen.request_of(p, resource) for p in placed), Decimal(0))
        largest = max(largest, offers)
        sizes.append(f"node {name_of(node)} offers {_amount(offers, resource)}, {_amount(taken, resource)} of it taken")
    words = {"cpu": "CPU", "memory": "memory"}[resource]
    too_big = bool(snapshot.nodes) and asked > largest
    action = f"lower the {words} request" if too_big else f"lower {words} requests or replicas, or end other pods"
    return _diagnosis(
        workload,
        f"unschedulable-{resource}",
        "; ".join([f"no node has {_amount(asked, resource)} of {words} free for its pod", *sizes[:3]]),
        evidence,
        f"{action}, or give the cluster more ({'minikube.cpus' if resource == 'cpu' else 'minikube.memory_mib'} in invoke.yaml)",
    )


def _runs_on(pod: Object, node: str) -> bool:
    return bool(pod["spec"].get("nodeName") == node and pod["status"].get("phase") not in ("Succeeded", "Failed"))


def _amount(value: Decimal, resource: str) -> str:
    if resource == "cpu":
        return f"{value.normalize():f}" if value >= 1 else f"{int(value * 1000)}m"
    return f"{round(value / 2**30, 1).normalize():f}Gi" if value >= 2**30 else f"{int(value / 2**20)}Mi"


def _volume_unbound(snapshot: Snapshot, workload: Object, pod: Object, evidence: list[str]) -> Diagnosis:
    names = [v["persistentVolumeClaim"]["claimName"] for v in pod["spec"].get("volumes", ()) if "persistentVolumeClaim" in v]
    bound = [name_of(c) for c in snapshot.claims if c.get("status", {}).get("phase") == "Bound"]
    missing = [name for name in names if name not in {name_of(c) for c in snapshot.claims}]
    if missing:
        cause = f"its volume claim {missing[0]} does not exist"
    else:
        claim = next((c for c in snapshot.claims if name_of(c) in names and name_of(c) not in bound), None)
        if claim is None:
            cause = "its volume cannot be bound"
        else:
            reasons = snapshot.events_of(claim, "ProvisioningFailed", "FailedBinding")
            why = reasons[0]["message"] if reasons else "no volume fits it"
            kind = claim["spec"].get("storageClassName")
            cause = f"its volume claim {name_of(claim)} ({f'class {kind}' if kind else 'no class'}) is not bound: {why}"
            evidence = [*evidence, *(_event_line(e) for e in reasons[:1])]
    return _diagnosis(
        workload,
        "volume-unbound",
        cause,
        evidence,
        "set postgres.storage of the chart to a class that this cluster has, or to a smaller size",
    )


def _not_prepared(snapshot: Snapshot, workload: Object, pod: Object) -> Diagnosis | None:
    """Volumes or the sandbox of a placed pod cannot be made, so that no container of it has ever been configured."""
    statuses = [status for _, status, _ in seen.containers(pod)]
    if any(s.get("state", {}).get("waiting", {}).get("reason") not in ("ContainerCreating", "PodInitializing") for s in statuses):
        return None
    events = snapshot.events_of(pod, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
    if not events:
        return None
    message = str(events[0]["message"])
    evidence = [f"pod {name_of(pod)}: {_event_line(events[0])}"]
    if found := _missing_object(workload, message, evidence):
        return found
    if events[0]["reason"] == "FailedCreatePodSandBox":
        return _diagnosis(
            workload, "sandbox-failed", f"the node cannot make its pod: {message}", evidence, "look at the node's runtime and CNI"
        )
    return _diagnosis(
        workload, "volume-not-mounted", f"a volume cannot be mounted: {message}", evidence, "see to the volume that the message names"
    )


MISSING = (
    # (message, code, what is missing, what to do)
    (r"couldn't find key (?P<key>\S+) in Secret \S*?/?(?P<name>[\w.-]+)$", "secret-key-missing", "key {key} of Secret {name}",
     "add {key} to .env (and to the service's secrets in invoke.yaml), then invoke up"),
    (r"secret \"(?P<name>[^\"]+)\" not found", "secret-missing", "Secret {name}", "invoke up makes it from .env"),
    (r"couldn't find key (?P<key>\S+) in ConfigMap \S*?/?(?P<name>[\w.-]+)$", "configmap-key-missing",
     "key {key} of ConfigMap {name}", "add the key to the ConfigMap {name}"),
    (r"configmap \"(?P<name>[^\"]+)\" not found", "configmap-missing", "ConfigMap {name}", "create the ConfigMap {name}"),
    (r"references non-existent secret key: (?P<key>\S+)", "secret-key-missing", "key {key} of a Secret that is mounted",
     "add {key} to the Secret"),
    (r"references non-existent config key: (?P<key>\S+)", "configmap-key-missing", "key {key} of a ConfigMap that is mounted",
     "add {key} to the ConfigMap"),
)  # fmt: skip


def _missing_object(workload: Object, message: str, evidence: Sequence[str]) -> Diagnosis | None:
    for pattern, code, what, action in MISSING:
        if match := re.search(pattern, message):
            names = match.groupdict()
            return _diagnosis(workload, code, f"{what.format(**names)} does not exist", evidence, action.format(**names))
    return None


def _not_configured(case: _Case) -> Diagnosis | None:
    if case.waiting.get("reason") not in ("CreateContainerConfigError", "CreateContainerError"):
        return None
    message = str(case.waiting.get("message", ""))
    plain = case.diagnosis("not-configured", f"container {case.name} cannot be made: {message}", "mend what the message names")
    if "runAsNonRoot" in message:
        return replace(
            plain,
            code="runs-as-root",
            cause=f"{name_of(case.workload)}: container {case.name} must not run as root: {message.partition(' (pod: ')[0]}",
            action="give the image a numeric USER (10001), or set runAsUser",
        )
    return _missing_object(case.workload, message, plain.evidence) or plain


def _image_missing(case: _Case) -> Diagnosis | None:
    reason = case.waiting.get("reason", "")
    image = case.spec["image"]
    if reason == "InvalidImageName":
        return case.diagnosis(
            "image-name-invalid", f"`{image}` is not a valid image name", "mend image.repository and image.tag of the service"
        )
    if reason not in ("ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"):
        return None
    failures = [e for e in case.events("Failed") if "pull" in e["message"].lower()]
    node = case.pod["spec"].get("nodeName", "")
    denied = any(re.search(r"unauthorized|denied|authentication required", e["message"], re.IGNORECASE) for e in failures)
    why = "may not be pulled" if reason == "ErrImageNeverPull" else "no registry gave it"
    action = "invoke up builds and loads it" if OUR_TAG.search(image) else "give the node a way to its registry, or load the image into it"
    if denied:
        why, action = "its registry denied it", "check the name of the image, and imagePullSecrets"
    return case.diagnosis(
        "image-not-on-node",
        f"image {image} is not on node {node}, and {why}",
        action,
        [e for e in failures if "Error: " not in e["message"]],
    )


def _not_started(case: _Case) -> Diagnosis | None:
    """The runtime could not start the program at all."""
    told = case.waiting if case.waiting.get("reason") in ("RunContainerError", "StartError") else case.death
    if told.get("reason") not in ("RunContainerError", "StartError", "ContainerCannotRun"):
        return None
    message = str(told.get("message", ""))
    if "exec format error" in message:
        return _wrong_architecture(case)
    short = re.sub(r"^.*?(exec: |error mounting |unable to )", r"\1", message, flags=re.DOTALL).strip()
    return case.diagnosis(
        "program-not-started", f"container {case.name} cannot start its program: {short}", "mend command and args, or the image"
    )


def _wrong_architecture(case: _Case) -> Diagnosis:
    return case.diagnosis(
        "wrong-architecture",
        f"image {case.spec['image']} is made for another processor than the node's",
        "build it for the node's platform",
    )


def _died(case: _Case) -> Diagnosis | None:
    """The container's newest run ended, and it is not up again."""
    if not case.death or (case.init and case.death.get("exitCode") == 0):
        return None
    for rung in (_out_of_memory, _killed_by_probe, _told_by_log):
        if found := rung(case):
            return found
    return _crashed(case)


def _out_of_memory(case: _Case) -> Diagnosis | None:
    if case.death.get("reason") != "OOMKilled":
        return None
    limit = case.spec.get("resources", {}).get("limits", {}).get("memory")
    bound = f"its limit of {limit}" if limit else "what the node has"
    return case.diagnosis(
        "out-of-memory",
        f"container {case.name} used more memory than {bound} and was killed",
        "raise resources.limits.memory of the service, or make it use less",
    )


PROBE_KILLS = (
    # (probe, code, what it means, what to do)
    ("liveness", "liveness-failing", "its liveness probe keeps failing", "mend what the probe asks; it must ask the process alone"),
    ("startup", "startup-too-slow", "it is not up in its startup probe's time",
     "make it start faster, or raise failureThreshold of probes.startup"),
)  # fmt: skip


def _killed_by_probe(case: _Case) -> Diagnosis | None:
    """The kubelet killed it since a probe failed. It ended by the signal, or took it as a request to leave."""
    if case.death.get("exitCode") not in (0, 137, 143):
        return None
    kills = case.events("Killing")
    for probe, code, meaning, action in PROBE_KILLS:
        if not any(f"failed {probe} probe" in kill["message"] for kill in kills):
            continue
        failed = [e for e in case.events("Unhealthy") if e["message"].lower().startswith(probe)]
        budget = f" ({_probe_budget(case.spec['startupProbe'])})" if probe == "startup" else ""
        why = f": {_probe_words(failed[0]['message'])}" if failed else ""
        return case.diagnosis(code, f"container {case.name} is killed, since {meaning}{budget}{why}", action, [*failed[:1], *kills])
    return None


def _probe_budget(probe: Object) -> str:
    seconds = probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    return f"{seconds} s"


READ_ONLY = re.compile(r"read-only file system|EROFS", re.IGNORECASE)
ABOUT_DATABASE = re.compile(r"database|postgres|psycopg|asyncpg|sqlalchemy|:5432|port 5432", re.IGNORECASE)
NAME_UNKNOWN = re.compile(
    r"name not found|could not translate host name|name or service not known|name resolution|getaddrinfo|no such host"
    r"|ENOTFOUND|EAI_AGAIN|bad address|nodename nor servname|name does not resolve",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"connection refused|refused the connection|ECONNREFUSED|connect call failed|authentication failed|no pg_hba.conf entry|does not exist"
    r"|too many (clients|connections)|not permitted to log in|connection lost|TLS failed|starting or stopping",
    re.IGNORECASE,
)
SILENT = re.compile(r"did not answer|timed? ?out|timeout expired|ETIMEDOUT|no route to host|unreachable", re.IGNORECASE)
FAILED_MIGRATION = re.compile(r"(error: )?migration failed:?\s*", re.IGNORECASE)
MIGRATES = re.compile(r"migrat", re.IGNORECASE)


def _told_by_log(case: _Case) -> Diagnosis | None:
    """The last telling line of a failed run's log."""
    if case.death.get("exitCode") == 0:
        return None
    migrates = _migrates(case)
    for line in reversed(case.log):
        if "exec format error" in line:
            return _wrong_architecture(case)
        if READ_ONLY.search(line):
            return case.diagnosis(
                "read-only-file-system",
                f"container {case.name} writes where it may not: {line}",
                "write to a path under `writable` of the service, or add one there",
            )
        if FAILED_MIGRATION.match(line):
            return _migration_failed(case, line)
        if (migrates or ABOUT_DATABASE.search(line)) and (found := _database(case, line)):
            return found
    return _migration_failed(case, case.log[-1] if case.log else f"exit code {case.death.get('exitCode')}") if migrates else None


def _migrates(case: _Case) -> bool:
    words = [case.name, *case.spec.get("command", ()), *case.spec.get("args", ())]
    return case.init and bool(MIGRATES.search(" ".join(words)))


def _waits_for_database(case: _Case) -> Diagnosis | None:
    """An init container runs, and its newest log line says that the database is not there yet."""
    if not case.init or "running" not in case.status.get("state", {}) or not case.log:
        return None
    line = case.log[-1]
    return _database(case, line) if _migrates(case) or ABOUT_DATABASE.search(line) else None


def _database(case: _Case, line: str) -> Diagnosis | None:
    line = line.removeprefix("error: ")
    if NAME_UNKNOWN.search(line):
        return case.diagnosis("database-name-unknown", f"DNS does not know the database's name: {line}", "check the host in DATABASE_URL")
    if SILENT.search(line):
        policies = seen.egress_policies(case.pod, case.snapshot.policies)
        if policies:
            return case.diagnosis(
                "egress-blocked",
                f"the database does not answer, and network policies restrict what the pod may call ({', '.join(policies)}): {line}",
                "name the database's address and port under networkPolicy.egress of the service (internet or addresses)",
            )
        return case.diagnosis("database-silent", f"the database does not answer: {line}", "check host, port and firewall of DATABASE_URL")
    if REFUSED.search(line):
        return case.diagnosis(
            "database-refused",
            f"the database refuses the connection: {line}",
            "check port, user, password and database name in DATABASE_URL, and that the database runs",
        )
    return None


def _migration_failed(case: _Case, line: str) -> Diagnosis:
    told = FAILED_MIGRATION.sub("", line)
    return case.diagnosis("migration-failed", f"the database migration failed: {told}", "mend the migration; nothing serves before it")


def _crashed(case: _Case) -> Diagnosis:
    code, last = case.death.get("exitCode"), (f": {case.log[-1]}" if case.log else "")
    ran = seen.time_of(case.death.get("finishedAt")) - seen.time_of(case.death.get("startedAt"))
    if code == 0:
        return case.diagnosis(
            "ended-by-itself", f"container {case.name} ended with exit code 0, and a service must keep running{last}", case.logs
        )
    ended = f"exit code {code}" if code is not None and code <= 128 else f"exit code {code} (signal {int(code or 0) - 128})"
    if ran < SHORT_RUN:
        return case.diagnosis("crash-on-start", f"container {case.name} crashes on start with {ended}{last}", case.logs)
    seconds = int(ran.total_seconds())
    return case.diagnosis("crash-later", f"container {case.name} crashed after {seconds} s with {ended}{last}", case.logs)


def _not_ready(case: _Case) -> Diagnosis | None:
    """It runs, has started, and its readiness probe fails."""
    running = case.status.get("state", {}).get("running")
    if case.init or not running or case.status.get("ready") or not case.status.get("started"):
        return None
    if seen.deaths(case.status) >= 2 and case.died_recently:
        return None  # it is between two crashes, and the crash is the cause
    since = seen.time_of(running.get("startedAt"))
    failed = [e for e in case.events("Unhealthy") if e["message"].startswith("Readiness") and seen.event_time(e) >= since]
    if not failed:
        return None
    words = _probe_words(failed[0]["message"])
    answer = case.snapshot.answers.get(f"{name_of(case.pod)}/{case.name}", "")
    path = case.spec.get("readinessProbe", {}).get("httpGet", {}).get("path", "")
    if match := re.search(r"statuscode: (\d+)", words):
        code, cause = "readiness-http", f"{path} answers {answer or match[1]}"
    elif "connection refused" in words:
        code, cause = "readiness-refused", f"nothing listens at the readiness probe's address: {words}"
    elif re.search(r"deadline exceeded|timed? ?out|timeout", words, re.IGNORECASE):
        code, cause = "readiness-timeout", f"{path or 'the probe'} does not answer in time: {words}"
    else:
        code, cause = "readiness-failing", f"its readiness probe fails: {words}"
    return case.diagnosis(code, f"container {case.name} runs and is not ready: {cause}", case.logs, failed)


def _probe_words(message: str) -> str:
    return re.sub(r"^\w+ probe (failed|errored[^:]*): ?", "", message.strip())


CONTAINER_RUNGS: Sequence[Rung] = (_not_configured, _image_missing, _not_started, _waits_for_database, _not_ready, _died)


def _diagnosis(workload: Object, code: str, cause: str, evidence: Sequence[str], action: str, deaths: int = 0) -> Diagnosis:
    name = name_of(workload)
    return Diagnosis(code, name, f"{name}: {_one_line(cause)}", tuple(_one_line(e) for e in evidence), action, deaths)


def _words_of(line: str) -> str:
    """A log line as a person reads it: of one in JSON, the message and the reason."""
    with contextlib.suppress(ValueError):
        record = json.loads(line)
        if isinstance(record, dict) and "message" in record:
            return ": ".join(str(record[key]) for key in ("message", "reason", "error") if record.get(key))
    return line.strip()


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def _state(status: Object) -> str:
    """A container's state as one line."""
    for kind, state in status.get("state", {}).items():
        told = [kind, state.get("reason", "")]
        if kind == "terminated":
            told.append(f"exit code {state.get('exitCode')}")
        last = status.get("lastState", {}).get("terminated")
        if last and kind != "terminated":
            told.append(f"last run ended: {last.get('reason', '')}, exit code {last.get('exitCode')}")
        restarts = status.get("restartCount", 0)
        told.append(f"restarts {restarts}" if restarts else "")
        line = ", ".join(part for part in told if part)
        return f"{line}: {state['message']}" if state.get("message") else line
    return "not created yet"


def _event_line(event: Object) -> str:
    count = max((event.get("series") or {}).get("count", 0), event.get("count") or 1)
    return f"event {event['reason']}{f' x{count}' if count > 1 else ''}: {event['message']}"

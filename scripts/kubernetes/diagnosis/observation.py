"""Takes snapshots of a release with kubectl: a cheap one to watch by, and a full one to diagnose by."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.shell import CommandError, Result
from scripts.kubernetes import api_proxy
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.cluster_dns import SERVICE as DNS
from scripts.kubernetes.cluster_dns import led_to
from scripts.kubernetes.connection import Connect
from scripts.kubernetes.diagnosis.rules.controllers import refused_maker
from scripts.kubernetes.diagnosis.snapshot import Snapshot, last_exit, time_of
from scripts.kubernetes.objects import condition_of, containers_of, is_of_release, is_rolled_out, labels_of, name_of, status_of
from scripts.kubernetes.service_client import send

LOG_LINES = 20
SECONDS = 15.0
WATCHED = "deployments,statefulsets,replicasets,pods,persistentvolumeclaims"
NO_LOG = ("unable to retrieve container logs for", "failed to try resolving symlinks")  # the kubelet's words in a log's place
AROUND = "events,networkpolicies,persistentvolumeclaims,horizontalpodautoscalers,resourcequotas,limitranges,poddisruptionbudgets"
OUTSIDE = "nodes,apiservices,deployments,daemonsets,persistentvolumes,networkpolicies,services"
KEYS_ONLY = (
    '{{range .items}}{{.metadata.name}} {{with .metadata.labels}}{{or (index . "app.kubernetes.io/part-of") "-"}}{{else}}-{{end}}'
    '{{range $key, $_ := .data}} {{$key}}{{end}}{{"\\n"}}{{end}}'
)
NOBODY = "-"
DNS_LINES = 5
FEW_NODES = 3
"""A cluster so small is looked through whole: whether an update has room."""
DENIED = "denied request"
NO_VERDICT = re.compile(r"cannot create resource|does not support dry run|is invalid:|\(Timeout\)|\(ServiceUnavailable\)")
"""What the API server says where it has not judged a pod that is only tried."""
CANNOT_BE_THEM = "cannot impersonate"
MAKERS = {
    kind: f"system:serviceaccount:kube-system:{controller}-controller"
    for kind, controller in (("Deployment", "replicaset"), ("StatefulSet", "statefulset"))
}
"""Who makes the pods of a workload."""
PROBE_SECONDS = 5.0
SYSTEM, METRICS = "kube-system", "metrics.k8s.io"
WRONG_FORMAT = "exec format error"


def quick_snapshot(cluster: Cluster) -> Snapshot:
    """Return the workloads, ReplicaSets, pods and claims of the release: one call. Raises what shell.run raises."""
    objects = cluster.get(WATCHED, selector=cluster.selector)

    def of(*kinds: str) -> list[Object]:
        return sorted((o for o in objects if o["kind"] in kinds), key=name_of)

    return Snapshot(
        release=cluster.release,
        namespace=cluster.namespace,
        taken=datetime.now(UTC),
        workloads=of("Deployment", "StatefulSet"),
        replica_sets=of("ReplicaSet"),
        pods=of("Pod"),
        claims=of("PersistentVolumeClaim"),
    )


def take_snapshot(cluster: Cluster) -> Snapshot:
    """Return everything that the diagnosis reads of the release. Raises what shell.run raises."""
    quick = quick_snapshot(cluster)
    tried = _tries(cluster, quick.workloads)
    whole = _with_surroundings(cluster, quick)
    if len(whole.nodes) <= FEW_NODES and not whole.placed_pods:
        whole = dataclasses.replace(whole, placed_pods=_placed_pods(cluster))
    return dataclasses.replace(whole, refusals=tried.verdicts, tried=tried.pods, taken=tried.clock or whole.taken)


def with_details(cluster: Cluster, quick: Snapshot) -> Snapshot:
    """Return the quick snapshot with all that a diagnosis of what is not rolled out reads: of what was refused, what is said to it now."""
    whole = _with_surroundings(cluster, quick)
    refused = [each for each in whole.workloads if not is_rolled_out(each) and refused_maker(whole, each)[0]]
    return dataclasses.replace(whole, refusals=_tries(cluster, refused).verdicts)


def _with_surroundings(cluster: Cluster, quick: Snapshot) -> Snapshot:
    """Add what is around, and, where they matter, log lines, probe answers and images' processors."""
    around = cluster.get(AROUND, timeout=SECONDS)
    scalers = [o for o in around if o["kind"] == "HorizontalPodAutoscaler"]
    pods = [pod for workload in quick.workloads for pod in quick.pods_of(workload)]
    unplaced = any(condition_of(pod, "PodScheduled").get("status") == "False" for pod in pods)
    logs, outside, ways, secrets = _logs(cluster, pods), _outside(cluster), _ways(cluster), _secret_keys(cluster)
    return dataclasses.replace(
        quick,
        taken=datetime.now(UTC),
        claims=[o for o in around if o["kind"] == "PersistentVolumeClaim"],
        events=[o for o in around if o["kind"] == "Event"],
        policies=[o for o in around if o["kind"] == "NetworkPolicy"],
        autoscalers=[o for o in scalers if is_of_release(o, cluster.release)],
        strange_autoscalers=[o for o in scalers if not is_of_release(o, cluster.release)],
        bounds=[o for o in around if o["kind"] in ("ResourceQuota", "LimitRange")],
        budgets=[o for o in around if o["kind"] == "PodDisruptionBudget"],
        services=[o for o in ways if o["kind"] == "Service"],
        slices=[o for o in ways if o["kind"] == "EndpointSlice"],
        secrets={name: keys for name, (_, keys) in secrets.items()} if secrets is not None else None,
        strange_secrets=[name for name, (part_of, _) in (secrets or {}).items() if part_of == NOBODY],
        nodes=[o for o in outside if o["kind"] == "Node"],
        dns=_dns(outside),
        dns_log=_dns_log(cluster, _dns(outside)),
        dns_policies=[o for o in outside if o["kind"] == "NetworkPolicy"],
        agents=[o for o in outside if o["kind"] == "DaemonSet"],
        metrics_apis=[o for o in outside if o["kind"] == "APIService" and o["spec"].get("group", "").endswith(METRICS)],
        volumes=[o for o in outside if o["kind"] == "PersistentVolume" and _claimed_in(o) == cluster.namespace],
        placed_pods=_placed_pods(cluster) if unplaced else [],
        logs=logs,
        architectures=_architectures(pods, logs),
        answers=_answers(cluster, pods),
    )


def _dns(outside: Sequence[Object]) -> list[Object]:
    """The Deployments whose pods the DNS Service leads to; where it cannot be seen or selects none, those with the usual label."""
    deployments = [o for o in outside if o["kind"] == "Deployment"]
    found = led_to(deployments, [o for o in outside if o["kind"] == "Service"])
    return found or [each for each in deployments if labels_of(each).get("k8s-app") == DNS]


def _dns_log(cluster: Cluster, dns: Sequence[Object]) -> Sequence[str]:
    """Why the cluster's DNS ends, where no pod of it is ready: what the runs before said."""
    down = [each for each in dns if each["spec"].get("replicas", 1) and not status_of(each).get("availableReplicas")]
    if not down:
        return ()
    labels = ",".join(f"{key}={value}" for key, value in down[0]["spec"]["selector"].get("matchLabels", {}).items())
    system = cluster.within(SYSTEM, "")
    runs = (_tried(system, "logs", "--selector", labels, f"--tail={DNS_LINES}", *which) for which in (["--previous"], []))
    return next((tuple(lines) for run in runs if (lines := [each for each in run.stdout.splitlines() if not each.startswith(NO_LOG)])), ())


def _claimed_in(volume: Object) -> str:
    return str((volume["spec"].get("claimRef") or {}).get("namespace", ""))


def _outside(cluster: Cluster) -> list[Object]:
    """What is of the cluster or its DNS, as far as we may see it: kubectl prints what it got, and fails for the rest."""
    answer = _tried(cluster.within(SYSTEM, ""), "get", OUTSIDE, "--output", "json")
    return list(json.loads(answer.stdout)["items"]) if answer.stdout.strip() else []


def _ways(cluster: Cluster) -> list[Object]:
    """The namespace's Services, and where they send requests; nothing where that may not be seen."""
    answer = _tried(cluster, "get", "services,endpointslices", "--output", "json")
    return list(json.loads(answer.stdout)["items"]) if answer.code == 0 else []


def _secret_keys(cluster: Cluster) -> Mapping[str, tuple[str, Sequence[str]]] | None:
    """By name, whose part each is, and keys: the values are nobody's business here. None where they may not be listed."""
    answer = _tried(cluster, "get", "secrets", "--output", f"go-template={KEYS_ONLY}")
    lines = [line.split() for line in answer.stdout.splitlines() if line.strip()]
    return {name: (part_of, keys) for name, part_of, *keys in lines} if answer.code == 0 else None


class _Tries(NamedTuple):
    """What the API server says to one more pod of each workload."""

    verdicts: Mapping[str, str]
    """Why it refuses the pod; empty where it takes it."""
    pods: Mapping[str, Object]
    """What it would make of it."""
    clock: datetime | None
    """Its own time of day, which dates what it tells of; this machine's may be another."""


def _tries(cluster: Cluster, workloads: Sequence[Object]) -> _Tries:
    """Let the API server judge pods that are not made: quotas, limits, policies and webhooks all have their say."""
    verdicts: dict[str, str] = {}
    pods: dict[str, Object] = {}
    for workload in workloads:
        answer = _try(cluster, workload, f"--as={MAKERS[workload['kind']]}")  # a policy may let us pass, and not who makes the pods
        if CANNOT_BE_THEM in answer.stderr:
            answer = _try(cluster, workload)
        said = answer.stderr.strip()
        # A ValidatingAdmissionPolicy's denial is of the reason Invalid, which kubectl prints without its own words before it.
        refusal = said.partition('error when creating "STDIN": ')[2] or (said if DENIED in said else "")
        if answer.code == 0 and answer.stdout:
            verdicts[name_of(workload)], pods[name_of(workload)] = "", json.loads(answer.stdout)
        elif refusal and (DENIED in refusal or not NO_VERDICT.search(refusal)):
            verdicts[name_of(workload)] = refusal
    made = [time for pod in pods.values() if (time := pod["metadata"].get("creationTimestamp"))]
    return _Tries(verdicts, pods, time_of(made[-1]) if made else None)


def _try(cluster: Cluster, workload: Object, *how: str) -> Result:
    argv = ("create", "--dry-run=server", "--output=json", "--filename=-", *how)
    return _tried(cluster, *argv, input=json.dumps(_next_pod(workload)))


def _next_pod(workload: Object) -> Object:
    spec = workload["spec"]
    template, claims = spec["template"], [name_of(claim) for claim in spec.get("volumeClaimTemplates", ())]
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name_of(workload)}-0"}} for claim in claims]
    metadata = {**template["metadata"], "name": name_of(workload)}
    spec = {**template["spec"], "volumes": [*template["spec"].get("volumes", ()), *volumes]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _architectures(pods: Sequence[Object], logs: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """For which processor images are made whose program has the wrong format: the local engine knows, which has built them."""
    images = {
        spec["image"]
        for pod in pods
        for spec, status, _ in containers_of(pod)
        if WRONG_FORMAT in str(status) or any(WRONG_FORMAT in line for line in logs.get(f"{name_of(pod)}/{spec['name']}", ()))
    }
    found = {}
    for image in images:
        try:
            answer = shell.run(["docker", "image", "inspect", "--format", "{{.Architecture}}", image], timeout=SECONDS, ok=None)
        except MissingError:
            return {}
        if answer.code == 0:
            found[image] = answer.stdout.strip()
    return found


def _placed_pods(cluster: Cluster) -> list[Object]:
    """Pods of every namespace. Where we may not list them, what is taken on a node counts our own namespace alone."""
    try:
        text = cluster.kubectl("get", "pods", "--all-namespaces", "--output", "json", timeout=SECONDS).stdout
    except CommandError:
        return cluster.get("pods")
    return list(json.loads(text)["items"])


def _logs(cluster: Cluster, pods: Sequence[Object]) -> Mapping[str, tuple[str, ...]]:
    """The last lines of every container whose last run failed, and of every init container that runs."""
    logs = {}
    for pod in pods:
        for spec, status, init in containers_of(pod):
            waits = init and "running" in status.get("state", {})
            ended_well = last_exit(status).get("exitCode") == 0 and init
            if not waits and (ended_well or not last_exit(status)):
                continue
            lies_there = "terminated" in status.get("state", {})
            lines = _log(cluster, pod, spec, previous=not waits and not lies_there)
            if not lines and not waits and "running" not in status.get("state", {}):
                lines = _log(cluster, pod, spec, previous=lies_there)  # started again since, or, waiting for that, not yet
            if lines:
                logs[f"{name_of(pod)}/{spec['name']}"] = lines
    return logs


def _log(cluster: Cluster, pod: Object, container: Object, *, previous: bool) -> tuple[str, ...]:
    argv = ["logs", name_of(pod), "--container", container["name"], f"--tail={LOG_LINES}", *(["--previous"] if previous else [])]
    result = _tried(cluster, *argv)
    return tuple(line for line in result.stdout.splitlines() if not line.startswith(NO_LOG)) if result.code == 0 else ()


def _tried(cluster: Cluster, *argv: str, input: str | None = None) -> Result:  # noqa: A002 - as in shell.run
    """Ask for evidence that may not be had: a run that was cleared away, a pod that does not answer. A failure is an answer too."""
    try:
        return cluster.kubectl(*argv, timeout=SECONDS, ok=None, input=input)
    except CommandError as error:  # it took too long
        return dataclasses.replace(error.result, code=1)


def _answers(cluster: Cluster, pods: Sequence[Object]) -> Mapping[str, str]:
    """What the readiness probes of running containers that are not ready are answered, asked through the API server."""
    probed = {
        f"{name_of(pod)}/{spec['name']}": path
        for pod in pods
        for spec, status, init in containers_of(pod)
        if not init and not status.get("ready") and "running" in status.get("state", {}) and (path := _probe_path(pod, spec))
    }
    if not probed:
        return {}
    try:
        with api_proxy.serving(cluster, api_proxy.collection(cluster, "pods")) as connect:
            answers = {key: _ask(connect, f"{api_proxy.collection(cluster, 'pods')}{path}") for key, path in probed.items()}
    except TaskError:
        return {}
    return {key: answer for key, answer in answers.items() if answer}


def _probe_path(pod: Object, spec: Object) -> str:
    """Where a container's HTTP readiness probe asks, below the API server's path of pods; empty where it has none."""
    probe = spec.get("readinessProbe", {}).get("httpGet")
    if not probe or probe.get("scheme", "HTTP") != "HTTP":
        return ""
    ports: dict[Any, int] = {port.get("name"): port["containerPort"] for port in spec.get("ports", ())}
    return f"{name_of(pod)}:{ports.get(probe['port'], probe['port'])}/proxy{probe.get('path', '/')}"


def _ask(connect: Connect, path: str) -> str:
    """Return status and body on one line; empty when no answer comes, which is what the probe's event says in its own words."""
    try:
        answer = send(connect(PROBE_SECONDS), "the pod", "GET", path, None)
    except TaskError:
        return ""
    return " ".join(f"{answer.status} {answer.body}".split())

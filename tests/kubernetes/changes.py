"""What happens to a healthy release, as changes of its recorded snapshot; each makes one cause."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.diagnose import diagnose
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from tests.cluster.recordings import from_json, read_recording, to_json

Object = dict[str, Any]


Change = Callable[[Object], None]


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


def ended_at_deadline(value: Object) -> None:
    evicted(value)
    pod_of(value)["status"].update(reason="DeadlineExceeded", message="Pod was active on the node longer than the specified deadline")
    pod_of(value)["spec"]["activeDeadlineSeconds"] = 118


def strange_autoscaler(target: str) -> Change:
    def change(value: Object) -> None:
        spec = {"minReplicas": 1, "maxReplicas": 1, "scaleTargetRef": {"kind": "Deployment", "name": target}}
        value["strange_autoscalers"] = [{"metadata": {"name": "cost-saver"}, "spec": spec, "status": {"currentReplicas": 1}}]

    return change


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
        started = from_json(value).taken - timedelta(seconds=seconds)
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


def shut_in(*rules: Object, labels: Mapping[str, str], caches: bool = False) -> Change:
    """A DNS whose pods have these labels, and a policy that lets the release's pods out by these rules alone."""

    def change(value: Object) -> None:
        dns(2)(value)
        value["dns"][0]["spec"]["template"] = {"metadata": {"labels": dict(labels)}}
        value["agents"] = [{"metadata": {"name": "node-local-dns"}, "status": {}}] if caches else []
        spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules)}
        value["policies"] = [
            {"metadata": {"name": "healthy-dns", "labels": {"app.kubernetes.io/instance": value["release"]}}, "spec": spec}
        ]

    return change


def pulled_again(*, next_one: bool = False) -> Change:
    """Admission gives a pod, or only the next one, an image pull policy that its Deployment does not say, with an image that we built."""

    def change(value: Object) -> None:
        template = value["workloads"][0]["spec"]["template"]["spec"]["containers"][0]
        template.update(image="todo-backend:h0123456789ab", imagePullPolicy="IfNotPresent")
        container = pod_of(value)["spec"]["containers"][0]
        container.update(image=template["image"], imagePullPolicy="IfNotPresent" if next_one else "Always")
        if next_one:
            value["tried"] = {"healthy": {"spec": {"containers": [{**template, "imagePullPolicy": "Always"}]}}}
        else:
            waits("ErrImagePull", "no such host")(value)

    return change


def dns_policies(*specs: Object) -> Change:
    """A DNS that is well, and these NetworkPolicies beside it."""

    def change(value: Object) -> None:
        dns(2)(value)
        value["dns"][0]["spec"]["template"] = {"metadata": {"labels": {"k8s-app": "kube-dns"}}}
        value["dns_policies"] = [{"metadata": {"name": f"shut-{i}"}, "spec": spec} for i, spec in enumerate(specs)]

    return change


def claim(*, deleted: bool = False, there: bool = True) -> Change:
    def change(value: Object) -> None:
        pod_of(value)["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]
        metadata = {"name": "data-0", **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})}
        value["claims"] = [{"metadata": metadata, "spec": {}, "status": {"phase": "Bound"}}] if there else []

    return change


def ending_volume(policy: str) -> Change:
    """The claim's volume was deleted, and the claim was not."""

    def change(value: Object) -> None:
        claim()(value)
        value["claims"][0]["spec"]["volumeName"] = "pv-1"
        spec = {"persistentVolumeReclaimPolicy": policy}
        value["volumes"] = [{"metadata": {"name": "pv-1", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": spec}]

    return change


ELSEWHERE = "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match PersistentVolume's node affinity."


def three_nodes(
    *, there: bool = True, labelled: str = "one", ready: str = "True", cordoned: bool = False, message: str = ELSEWHERE
) -> Change:
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
            {
                "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": labelled if name == "one" else name}},
                **(first if name == "one" else others),
            }
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
        taken = from_json(value).taken
        status_of(value)["state"] = {"running": {"startedAt": (taken - timedelta(hours=1)).isoformat()}}
        active = {"type": "ScalingActive", "status": "False", "reason": reason, "message": "unable to get metrics for resource cpu"}
        active["lastTransitionTime"] = (taken - since).isoformat()
        spec = {"scaleTargetRef": {"name": value["workloads"][0]["metadata"]["name"]}}
        value["autoscalers"] = [{"metadata": {"name": "healthy"}, "spec": spec, "status": {"conditions": [active]}}]
        available = {"type": "Available", "status": "True" if served else "False", "message": "endpoints not found"}
        value["metrics_apis"] = [{"metadata": {"name": "v1beta1.metrics.k8s.io"}, "status": {"conditions": [available]}}]

    return change


def autoscaler_at_limit(value: Object) -> None:
    taken = from_json(value).taken
    limited = {
        "type": "ScalingLimited",
        "status": "True",
        "reason": "TooManyReplicas",
        "message": "the desired replica count is more than 4",
    }
    limited["lastTransitionTime"] = (taken - timedelta(minutes=10)).isoformat()
    cpu = {"name": "cpu", "target": {"averageUtilization": 80}}
    value["autoscalers"] = [
        {
            "metadata": {"name": "healthy"},
            "spec": {"maxReplicas": 4, "scaleTargetRef": {"name": "healthy"}, "metrics": [{"resource": cpu}]},
            "status": {
                "conditions": [limited],
                "currentMetrics": [{"resource": {"name": "cpu", "current": {"averageUtilization": 319}}}],
            },
        }
    ]


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


def crowded_node(cpu: str = "1", memory: str = "1Gi", *, surge: int | str = 1, closed: bool = False) -> Change:
    """One node of a CPU and 1 GiB, of which a pod of another namespace takes so much; the release's pod asks for 5m and 8 MiB."""

    def change(value: Object) -> None:
        node("True")(value)
        value["nodes"][0]["status"]["allocatable"] = {"cpu": "1", "memory": "1Gi"}
        value["nodes"][0]["spec"] = {"unschedulable": closed}
        value["workloads"][0]["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge}}
        asks = [{"name": "train", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]
        other = {
            "metadata": {"name": "trainer", "namespace": "ml"},
            "spec": {"nodeName": value["nodes"][0]["metadata"]["name"], "containers": asks},
        }
        value["placed_pods"] = [{**other, "status": {"phase": "Running"}}]

    return change


def tainted(key: str = "dedicated", effect: str = "NoSchedule", *tolerations: Object) -> Change:
    def change(value: Object) -> None:
        node("True")(value)
        value["nodes"][0]["spec"] = {"taints": [{"key": key, "value": "gpu", "effect": effect}]}
        value["workloads"][0]["spec"]["template"]["spec"]["tolerations"] = list(tolerations)

    return change


def unmade(seconds: int, *reasons: str) -> Change:
    def change(value: Object) -> None:
        waits("ContainerCreating")(value)
        placed = (from_json(value).taken - timedelta(seconds=seconds)).isoformat()
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


def agent_nowhere(name: str, selector: Mapping[str, str]) -> Change:
    def change(value: Object) -> None:
        node("True")(value)
        spec = {"template": {"spec": {"nodeSelector": dict(selector)}}}
        value["agents"] = [{"metadata": {"name": name}, "spec": spec, "status": {"desiredNumberScheduled": 0, "numberReady": 0}}]

    return change


def relabelled(*, owned: bool = False, named: str = "") -> Change:
    """Somebody has changed a label by which the Deployment knows its pod."""

    def change(value: Object) -> None:
        pod = copy.deepcopy(pod_of(value))
        pod["metadata"]["name"] = named or f"{value['replica_sets'][0]['metadata']['name']}-zzzzz"
        pod["metadata"]["ownerReferences"] = pod["metadata"]["ownerReferences"] if owned else []
        pod["metadata"]["labels"] |= dict.fromkeys(value["workloads"][0]["spec"]["selector"]["matchLabels"], "other")
        value["pods"].append(pod)

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
        pod["metadata"]["creationTimestamp"] = (from_json(value).taken - timedelta(seconds=seconds)).isoformat()

    return change


def strange_pod(*, owned: bool = False, ready: str = "True", asked: bool = False) -> Change:
    def change(value: Object) -> None:
        labels = value["workloads"][0]["spec"]["selector"]["matchLabels"]
        owner = [{"uid": "another", "kind": "Deployment", "name": "canary"}] if owned else []
        metadata = {"name": "mine", "uid": "mine", "labels": labels, "ownerReferences": owner}
        condition = {"type": "Ready", "status": ready}
        value["pods"].append({"metadata": metadata, "spec": {"containers": []}, "status": {"conditions": [condition]}})
        if asked:
            labels = {"kubernetes.io/service-name": "healthy", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
            endpoints = [{"addresses": ["10.0.0.9"], "targetRef": {"kind": "Pod", "name": "mine"}}]
            value["slices"] = [{"metadata": {"name": "own", "labels": labels}, "ports": [{"port": 8000}], "endpoints": endpoints}]

    return change


def known(*pods: str, selector: str = "healthy", ready_for: float = 60) -> Change:
    """A Service of the workload, and the pods that its EndpointSlice names; those that are ready have been so for some seconds."""

    def change(value: Object) -> None:
        since = (from_json(value).taken - timedelta(seconds=ready_for)).isoformat()
        for condition in pod_of(value)["status"]["conditions"]:
            condition["lastTransitionTime"] = since
        name = {"name": "healthy"}
        value["services"] = [{"kind": "Service", "metadata": name, "spec": {"selector": {"app.kubernetes.io/instance": selector}}}]
        labels = {"kubernetes.io/service-name": "healthy", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
        endpoints = [{"addresses": ["10.0.0.9"], "targetRef": {"kind": "Pod", "name": pod}} for pod in pods]
        value["slices"] = [{"metadata": {"name": "own", "labels": labels}, "endpoints": endpoints}]

    return change


def changed_pod(
    *, generation: int = 2, annotations: Mapping[str, str] | None = None, spec: Mapping[str, Any] | None = None, **fields: Any
) -> Change:
    """The pod or its container has other fields than the workload's template; `generation` counts the changes since it was made."""

    def change(value: Object) -> None:
        pod = pod_of(value)
        pod["metadata"] |= {"generation": generation, "annotations": annotations or {}}
        pod["spec"]["containers"][0] |= fields
        pod["spec"] |= spec or {}

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


def changed(change: Change, recording: str = "healthy") -> Snapshot:
    value = copy.deepcopy(to_json(read_recording(recording)))
    change(value)
    return from_json(value)


def found(change: Change, recording: str = "healthy") -> list[Diagnosis]:
    return diagnose(changed(change, recording))

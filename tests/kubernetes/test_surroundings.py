"""What is around a release: what is well has no diagnosis, what follows from something says so, and actions fit whose it is."""

from __future__ import annotations

import copy
import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from scripts.kubernetes.diagnosis.diagnose import diagnose, unexplained
from tests.cluster.recordings import from_json, read_recording, to_json
from tests.kubernetes.changes import (
    QUOTA,
    Change,
    Object,
    agents,
    autoscaler,
    both,
    bound,
    budgets,
    changed,
    changed_pod,
    claim,
    dns,
    dns_policies,
    endless,
    exits,
    fails_readiness,
    found,
    known,
    node,
    pod_of,
    policies,
    pulled_again,
    refused,
    refused_next,
    relabelled,
    secret_of_somebody,
    shut_in,
    strange_autoscaler,
    strange_pod,
    tainted,
    three_nodes,
    unmade,
    unplaced,
    unready,
    unseen,
    uses_secret,
    waits,
)

pytestmark = pytest.mark.unit


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
        endless(20),
        strange_pod(ready="False"),
        budgets(0, healthy=0),
        autoscaler("FailedGetResourceMetric", timedelta(minutes=1)),
        autoscaler("ScalingDisabled", timedelta(hours=1)),
        strange_autoscaler("another"),
        known("healthy-775fd495b5-ndg84"),
        known("gone", ready_for=5),
        known("gone", selector="another"),
        both(known("gone"), lambda value: value.update(services=[])),
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
        "a pod takes a little longer to end",
        "a pod that gets no requests",
        "it waits for a pod",
        "metrics come",
        "scaled by hand",
        "somebody scales something else",
        "its Service knows its pod",
        "its Service will know its pod",
        "its Service is of other pods, which is told as a drift",
        "nobody may see Services",
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
    shut: Object = {"podSelector": {}, "policyTypes": ["Ingress"]}
    for fault in ("database-name", "database-silent"):
        root, symptom = found(dns_policies(shut), fault)
        assert (root.code, symptom.code, symptom.follows_from) == ("dns-blocked", symptom.code, "coredns")

    def answers(value: Object) -> None:
        value["answers"] = {f"{pod_of(value)['metadata']['name']}/app": '503 {"status": "unavailable", "reason": "DNS name not found"}'}

    root, symptom = found(both(dns_policies(shut), fails_readiness("HTTP probe failed with statuscode: 503"), answers))
    assert (symptom.code, symptom.follows_from) == ("readiness-http", "coredns")


@pytest.mark.parametrize(
    "specs",
    [
        [{"podSelector": {"matchLabels": {"k8s-app": "metrics-server"}}, "policyTypes": ["Ingress"]}],
        [{"podSelector": {}, "policyTypes": ["Ingress"]}, {"podSelector": {}, "ingress": [{}]}],
        [{"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}]}],
        [{"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": "dns"}]}]}],
        [{"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 1, "endPort": 1000}]}]}],
    ],
)
def test_policies_that_let_the_dns_be_asked_are_nobodys_business(specs: list[Object]) -> None:
    assert found(dns_policies(*specs)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"from": [{"podSelector": {}}]},
        {"from": [{"namespaceSelector": {}}], "ports": [{"port": 9153}]},
        {"ports": [{"port": 54, "endPort": 60}, {"port": "metrics"}]},
    ],
)
def test_a_rule_for_something_else_does_not_open_the_dns(rule: Object) -> None:
    (diagnosis,) = found(dns_policies({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}))
    assert diagnosis.code == "dns-blocked"
    assert diagnosis.action.startswith("kubectl --namespace kube-system delete networkpolicy shut-0;")


@pytest.mark.parametrize(
    "change",
    [
        tainted("node.kubernetes.io/memory-pressure"),
        tainted("dedicated", "PreferNoSchedule"),
        tainted("dedicated", "NoSchedule", {"operator": "Exists"}),
        tainted("dedicated", "NoSchedule", {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}),
    ],
)
def test_a_taint_that_lets_our_pods_be_closes_no_node(change: Change) -> None:
    assert found(change) == []


@pytest.mark.parametrize(
    "toleration",
    [{"key": "dedicated", "value": "web"}, {"key": "other", "operator": "Exists"}, {"operator": "Exists", "effect": "NoExecute"}],
)
def test_a_taint_that_our_pods_do_not_tolerate_closes_the_node(toleration: Object) -> None:
    (diagnosis,) = found(tainted("dedicated", "NoSchedule", toleration))
    assert diagnosis.action.startswith("kubectl taint node ")
    assert diagnosis.action.endswith(" dedicated:NoSchedule-")


def test_a_dns_that_ends_is_told_with_what_it_said() -> None:
    said = "/etc/coredns/Corefile:11 - Error during parsing: Unknown directive 'kache'"

    def ends(value: Object) -> None:
        dns(0)(value)
        value["dns_log"] = [said]

    (diagnosis,) = found(ends)
    assert diagnosis.cause.endswith(f"so no name resolves: {said}")
    assert "kubectl --namespace kube-system edit configmap coredns" in diagnosis.action
    assert "kubectl describe clusterrolebinding system:coredns" in diagnosis.action


PEER = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "coredns"}}}


@pytest.mark.parametrize(
    ("rules", "caches"),
    [
        ([{"to": [PEER]}], False),
        ([{"to": [PEER], "ports": [{"port": 53}]}, {"ports": [{"port": 5432}]}], False),
        ([{"to": [{"namespaceSelector": {}}], "ports": [{"port": 53}]}], False),
        ([{"ports": [{"port": "dns"}]}], False),
        ([{"to": [{"ipBlock": {"cidr": "10.96.0.0/12"}}]}], False),
        ([], True),
    ],
)
def test_a_way_to_what_is_the_clusters_dns_is_nobodys_business(rules: list[Object], *, caches: bool) -> None:
    assert found(shut_in(*rules, labels={"k8s-app": "coredns"}, caches=caches)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"to": [{"podSelector": {"matchLabels": {"k8s-app": "coredns"}}}]},
        {"to": [PEER], "ports": [{"port": 5432}]},
        {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}]},
    ],
)
def test_a_way_to_something_else_does_not_lead_to_the_dns(rule: Object) -> None:
    (diagnosis,) = found(shut_in(rule, labels={"k8s-app": "coredns"}))
    assert (diagnosis.code, diagnosis.workload) == ("dns-blocked", "coredns")
    assert diagnosis.evidence == ("the DNS Service leads to pods with k8s-app=coredns: none of healthy-dns names those",)


def test_what_admission_has_pulled_again_though_a_registry_has_it_is_its_business() -> None:
    def theirs(value: Object) -> None:
        pulled_again(next_one=True)(value)
        for container in (
            value["tried"]["healthy"]["spec"]["containers"][0],
            value["workloads"][0]["spec"]["template"]["spec"]["containers"][0],
        ):
            container["image"] = "registry.example.com/app@sha256:0"

    assert found(theirs) == []


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


@pytest.mark.parametrize(
    ("verdict", "code"), [({}, "quota-exceeded"), ({"quota": QUOTA}, "quota-exceeded"), ({"quota": ""}, "controller-waits")]
)
def test_what_refused_a_pod_and_is_gone_is_not_named_again(verdict: dict[str, str], code: str) -> None:
    refused = dataclasses.replace(read_recording("quota"), refusals=verdict)
    (diagnosis,) = diagnose(refused)
    assert diagnosis.code == code
    assert (diagnosis.action == "invoke up has it try at once") is (code == "controller-waits")


def test_dns_that_was_scaled_away_says_how_to_bring_it_back() -> None:
    (diagnosis,) = found(dns(0, wanted=0))
    assert "scale deployment/coredns --replicas=1" in diagnosis.action


def test_a_container_killed_from_outside_says_when_it_starts_again() -> None:
    (diagnosis,) = found(exits(137, back_off="1m20s"))
    started = from_json(to_json(read_recording("healthy"))).taken + timedelta(seconds=80)
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


def test_a_metrics_api_that_has_nothing_of_the_pods_is_not_said_to_be_silent() -> None:
    def blind(value: Object) -> None:
        autoscaler("FailedGetResourceMetric", timedelta(minutes=10))(value)
        value["autoscalers"][0]["status"]["conditions"][0]["message"] += ": no metrics returned from resource metrics API"

    (diagnosis,) = found(blind)
    assert diagnosis.action.startswith("the metrics API answers, and has nothing of these pods")


def test_autoscalers_that_are_blind_for_one_reason_are_one_cause() -> None:
    def two(value: Object) -> None:
        autoscaler("FailedGetResourceMetric", timedelta(minutes=10))(value)
        value["autoscalers"].append(copy.deepcopy(value["autoscalers"][0]))
        value["autoscalers"][1]["metadata"]["name"] = "another"

    (diagnosis,) = found(two)
    assert [line.partition(":")[0] for line in diagnosis.evidence] == ["horizontalpodautoscaler healthy", "horizontalpodautoscaler another"]


def test_an_autoscaler_that_has_nothing_to_scale_needs_no_metrics() -> None:
    def fixed(value: Object) -> None:
        autoscaler("FailedGetResourceMetric", timedelta(minutes=10))(value)
        value["autoscalers"][0]["spec"] |= {"minReplicas": 2, "maxReplicas": 2}

    assert found(fixed) == []


def test_an_autoscaler_of_no_pods_is_not_blind_for_want_of_metrics() -> None:
    def gone(value: Object) -> None:
        autoscaler("FailedGetResourceMetric", timedelta(minutes=10))(value)
        value["pods"] = []

    assert "autoscaler-blind" not in [each.code for each in found(gone)]


def test_what_admission_made_of_a_pod_is_evidence_of_what_is_wrong_with_it_and_no_cause() -> None:
    made = changed_pod(generation=1, resources={"requests": {"cpu": "1m", "memory": "8Mi"}})
    assert found(made) == []
    (diagnosis,) = found(both(made, fails_readiness("context deadline exceeded")))
    name = "healthy-775fd495b5-ndg84"
    assert f"pod {name} was made so by admission: container app: requests.cpu is 1m, and should be 5m" in diagnosis.evidence


def test_a_probe_that_failed_and_now_answers_well_is_not_mixed_up() -> None:
    def answers(value: Object) -> None:
        value["answers"] = dict.fromkeys(value["answers"], "200 ok")

    (diagnosis,) = found(answers, "readiness-http")
    assert "/ready answered 503 to its last probe, and answers 200 now" in diagnosis.cause


def test_a_database_that_refuses_the_login_is_no_matter_of_patience() -> None:
    def answers(value: Object) -> None:
        value["answers"] = dict.fromkeys(value["answers"], '503 {"reason": "authentication failed"}')

    (diagnosis,) = found(answers, "readiness-http")
    assert diagnosis.code == "database-login"
    assert diagnosis.final_after(60)
    assert diagnosis.action == "check user, password and database name in DATABASE_URL"


def test_a_workload_that_is_not_rolled_out_is_never_healthy() -> None:
    snapshot = changed(unready)
    assert diagnose(snapshot) == []
    (diagnosis,) = unexplained(snapshot, [])
    assert diagnosis.code == "not-rolled-out"
    assert "healthy 0/1" in diagnosis.cause
    assert unexplained(snapshot, [diagnosis]) == []
    assert unexplained(read_recording("healthy"), []) == []


@pytest.mark.parametrize(("counted", "waits"), [("1150m", True), ("5m", False)])
def test_a_quota_that_counts_pods_which_are_not_there_is_told(counted: str, *, waits: bool) -> None:
    def change(value: dict[str, Any]) -> None:
        refused_next(QUOTA)(value)
        quota = {"kind": "ResourceQuota", "metadata": {"name": "small", "labels": {"app.kubernetes.io/instance": value["release"]}}}
        value["bounds"] = [{**quota, "status": {"used": {"requests.cpu": counted}}}]
        value["placed_pods"] = copy.deepcopy(value["pods"])

    (diagnosis,) = diagnose(changed(change))
    assert diagnosis.action.startswith("wait some minutes, and ask again") is waits
    assert any("ResourceQuota small counts 1150m of CPU, and its pods ask for 5m" in line for line in diagnosis.evidence) is waits


@pytest.mark.parametrize("other", [False, True])
def test_a_quota_that_fills_with_tries_follows_from_the_pod_that_was_let_go(*, other: bool) -> None:
    def change(value: dict[str, Any]) -> None:
        relabelled()(value)
        refused_next(QUOTA)(value)
        if other:
            value["workloads"].append(copy.deepcopy(value["workloads"][0]))
            value["workloads"][1]["metadata"] |= {"name": "other", "uid": "other"}
            value["workloads"][1]["spec"]["selector"] = {"matchLabels": {"app": "other"}}
            value["workloads"][1]["spec"]["replicas"] = 0
            value["refusals"]["other"] = value["refusals"][value["workloads"][0]["metadata"]["name"]]

    root, *following = [each for each in diagnose(changed(change)) if each.code != "controllers-silent"]
    assert (root.code, root.follows_from) == ("pod-released", "")
    assert [(each.code, each.workload, each.follows_from) for each in following] == (
        [("quota-exceeded", "other", root.workload)] if other else []
    )


def test_controllers_that_cannot_act_follow_from_the_webhook_that_refuses_what_they_write() -> None:
    def change(value: dict[str, Any]) -> None:
        refused('Internal error occurred: failed calling webhook "x.example.com": no endpoints')(value)
        value["workloads"][0]["metadata"]["generation"] = 9

    found = {each.code: each.follows_from for each in diagnose(changed(change))}
    assert found["webhook-down"] == ""
    assert found["controllers-silent"] == "healthy"

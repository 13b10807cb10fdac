"""The profile is started as the settings say, and left alone where it is so already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.config.settings import Settings
from scripts.core.errors import InputError, TaskError
from scripts.desired.helm_release import HelmRelease
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.minikube import engine
from scripts.engines.minikube.engine import NODE_NETWORKS, MinikubeEngine
from tests.doubles import Step
from tests.engines.minikube.answers import NO_PROFILES, NODE, PROFILES, RUNNING, STATUS, STOPPED, event, profile, start
from tests.programs import Programs, Reply

pytestmark = pytest.mark.unit


def test_a_cluster_that_runs_as_configured_is_not_started_again(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    outcome = MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert outcome.kind == "unchanged"
    assert settings.kubernetes_version in outcome.detail


def test_a_first_start_shows_minikubes_own_steps_and_is_verified(programs: Programs, settings: Settings, step: Step) -> None:
    said = event("step", currentstep="3", totalsteps="19", message="Starting the node") + "* a line that is no JSON\n"
    said += event("warning", message="Docker is slow") + event("error", message="harmless words on stderr")
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply(said))
    programs.tell(STATUS, RUNNING)
    assert MinikubeEngine(settings).decide_start(step).carry_out(step).kind == "changed"
    assert "Starting the node (3/19)" in step.heard
    assert step.warned == ["Docker is slow"]


def test_a_start_that_says_it_is_done_and_is_not_is_a_failure(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply(event("step", currentstep="19", totalsteps="19", message="Done!")))
    programs.tell(STATUS, STOPPED)
    with pytest.raises(TaskError, match="profile todo is stopped"):
        MinikubeEngine(settings).decide_start(step).carry_out(step)


def test_the_users_kubeconfig_and_context_are_left_alone(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply())
    programs.tell(STATUS, RUNNING)
    MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert "--keep-context" in start(settings)
    assert {call["environment"]["KUBECONFIG"] for call in programs.asked("minikube")} == {str(engine.KUBECONFIG)}
    argv = MinikubeEngine(settings).cluster.kubectl_argv("get", "pods")
    assert argv[:5] == ["kubectl", "--kubeconfig", str(engine.KUBECONFIG), "--context", "todo"]


def test_a_failure_gives_minikubes_reason_and_its_advice(programs: Programs, settings: Settings, step: Step) -> None:
    fatal = {"message": "Requested 4 CPUs, 2 there", "exitcode": "29", "name": "RSRC_INSUFFICIENT_CORES", "advice": "Ask for fewer"}
    said = event("error", message="noise") + event("error", **fatal) + event("error", message="more noise")
    programs.tell(PROFILES, NO_PROFILES)
    programs.tell(start(settings), Reply(said, code=29))
    with pytest.raises(TaskError) as failure:
        MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert failure.value.cause == "Minikube did not start: Requested 4 CPUs, 2 there (RSRC_INSUFFICIENT_CORES)"
    assert failure.value.action == "Ask for fewer"
    assert failure.value.evidence == ("noise", "more noise")


@pytest.mark.parametrize(
    ("status", "command", "done"),
    [
        (STOPPED, "start", "started"),
        (Reply(json.dumps({**NODE, "Kubelet": "Stopped", "APIServer": "Paused"}), code=2), "unpause", "unpaused"),
        (Reply(json.dumps({**NODE, "Kubeconfig": "Misconfigured"}), code=4), "update-context", "kubeconfig fixed"),
    ],
    ids=["stopped", "paused", "not in our kubeconfig"],
)
def test_a_profile_that_does_not_run_gets_what_it_needs(
    programs: Programs, settings: Settings, step: Step, status: Reply, command: str, done: str
) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, status, RUNNING)
    programs.tell(start(settings) if command == "start" else ("minikube", command, "--profile", "todo"))
    outcome = MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert (outcome.kind, done in outcome.detail) == ("changed", True)


def test_a_paused_profile_that_our_kubeconfig_does_not_know_gets_both(programs: Programs, settings: Settings, step: Step) -> None:
    paused = {**NODE, "Kubelet": "Stopped", "APIServer": "Paused", "Kubeconfig": "Misconfigured"}
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, Reply(json.dumps(paused), code=6), Reply(json.dumps({**NODE, "Kubeconfig": "Misconfigured"}), code=4), RUNNING)
    for command in ("unpause", "update-context"):
        programs.tell(("minikube", command, "--profile", "todo"))
    outcome = MinikubeEngine(settings).decide_start(step).carry_out(step)
    assert outcome.detail.endswith(": unpaused, kubeconfig fixed")


@pytest.mark.parametrize("nodes", [1, 3])
def test_of_several_nodes_the_database_gets_the_one_that_makes_volumes(
    settings: Settings, step: Step, monkeypatch: pytest.MonkeyPatch, nodes: int
) -> None:
    installed: list[HelmRelease] = []
    monkeypatch.setattr(KubernetesEngine, "decide_install", lambda engine, release, secrets, step: installed.append(release))
    several = settings.model_copy(update={"minikube": settings.minikube.model_copy(update={"nodes": nodes})})
    wanted = HelmRelease("todo", "todo", Path(), {"postgres": {"enabled": True, "nodeSelector": {"disk": "fast"}}})
    MinikubeEngine(several).decide_install(wanted, [], step)
    first = {"minikube.k8s.io/primary": "true"} if nodes > 1 else {}
    assert installed[0].values == {"postgres": {"enabled": True, "nodeSelector": {**first, "disk": "fast"}}}


@pytest.mark.parametrize("status", [Reply("null"), Reply("null", code=7)], ids=["before 1.38", "from 1.38 on"])
def test_a_node_that_was_removed_is_told_at_once(programs: Programs, settings: Settings, step: Step, status: Reply) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, status)
    with pytest.raises(TaskError, match="removed behind Minikube's back, and with it the cluster and its data") as failure:
        MinikubeEngine(settings).decide_start(step)
    assert failure.value.action == "invoke down --cluster, then invoke up makes a new one"


def three_nodes(settings: Settings) -> Settings:
    return settings.model_copy(update={"minikube": settings.minikube.model_copy(update={"nodes": 3})})


def nodes(*names: str) -> list[dict[str, str]]:
    return [{"Name": name, "IP": f"192.168.49.{2 + number}"} for number, name in enumerate(names)]


def test_a_worker_that_was_removed_is_replaced_by_one_of_another_name(programs: Programs, settings: Settings, step: Step) -> None:
    several, old, new = three_nodes(settings), nodes("", "m02", "m03"), nodes("", "m02", "m04")
    programs.tell(PROFILES, profile(several, Nodes=old), profile(several, Nodes=new))
    programs.tell(STATUS, Reply("null", code=7), RUNNING)
    for node, host in (("todo", "Running"), ("todo-m02", "Running"), ("todo-m03", "Nonexistent")):
        worker = {**NODE, "Name": node, "Host": host, "Worker": node != "todo"}
        programs.tell((*STATUS[:4], "--node", node, *STATUS[4:]), Reply(json.dumps(worker), code=0 if host == "Running" else 7))
    programs.tell(("minikube", "node", "add", "--profile", "todo"), Reply())
    programs.tell(("minikube", "node", "delete", "todo-m03", "--profile", "todo"), Reply())
    outcome = MinikubeEngine(several).decide_start(step).carry_out(step)
    assert outcome.detail.endswith("made a worker in place of todo-m03")
    assert [call["argv"][2] for call in programs.asked("minikube") if call["argv"][1] == "node"] == ["add", "delete"]


@pytest.mark.parametrize("lost", [["todo-m03"], []], ids=["with the old worker", "the old worker is forgotten"])
def test_a_worker_whose_making_was_interrupted_is_finished_and_the_cluster_stays(
    programs: Programs, settings: Settings, step: Step, lost: list[str]
) -> None:
    """What a kill of `minikube node add` leaves: Minikube notes the worker before there is a machine, and its address after that."""
    several, half = three_nodes(settings), [*nodes("", "m02"), {"Name": "m04", "IP": ""}]
    before = [*half, {"Name": "m03", "IP": "192.168.49.4"}] if lost else half
    programs.tell(PROFILES, *[profile(several, Nodes=before)] * 2, profile(several, Nodes=half))
    programs.tell(STATUS, *[Reply("null", code=7)] * (2 if lost else 1), RUNNING)
    for node in ("todo", "todo-m02", *lost):
        worker = {**NODE, "Name": node, "Host": "Nonexistent" if node in lost else "Running", "Worker": node != "todo"}
        programs.tell((*STATUS[:4], "--node", node, *STATUS[4:]), Reply(json.dumps(worker), code=7 if node in lost else 0))
        if node in lost:
            programs.tell(("minikube", "node", "delete", node, "--profile", "todo"), Reply())
    programs.tell(start(several), Reply())
    ours = MinikubeEngine(several)
    assert ours.preflight() == []
    decision = ours.decide_start(step)
    assert ("finish the worker todo-m04", "making it was interrupted") in [(change.what, change.why) for change in decision.changes]
    assert decision.carry_out(step).kind == "changed"
    assert not programs.asked("minikube", "delete"), "the cluster and its data are the user's"


def test_what_minikube_keeps_of_lost_workers_is_forgotten_before_new_ones_are_made(
    programs: Programs, settings: Settings, step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIKUBE_HOME", str(tmp_path))
    machines = tmp_path / ".minikube" / "machines"
    for name in ("todo", "todo-m02", "todo-m03", "todo-m04", "todo-m05", "todo-more", "todo-m99"):
        (machines / name).mkdir(parents=True)
    several, half = three_nodes(settings), [*nodes("", "m02"), {"Name": "m03", "IP": ""}]
    somebodys = {**json.loads(profile(several).stdout)["valid"][0], "Name": "todo-m99"}
    somebodys["Config"] = {**somebodys["Config"], "Name": "todo-m99", "Nodes": nodes("")}
    ours = json.loads(profile(several, Nodes=half).stdout)["valid"]
    programs.tell(PROFILES, Reply(json.dumps({"invalid": [], "valid": [*ours, somebodys]})))
    programs.tell(STATUS, Reply("null", code=7), RUNNING)
    for node in ("todo", "todo-m02"):
        programs.tell((*STATUS[:4], "--node", node, *STATUS[4:]), Reply(json.dumps({**NODE, "Name": node, "Host": "Running"})))
    programs.tell(start(several), Reply())
    MinikubeEngine(several).decide_start(step).carry_out(step)
    assert {each.name for each in machines.iterdir()} == {"todo", "todo-m02", "todo-more", "todo-m99"}


def test_of_several_nodes_the_addons_are_enabled_after_the_first_start(programs: Programs, settings: Settings, step: Step) -> None:
    several = three_nodes(settings)
    programs.tell(PROFILES, NO_PROFILES, profile(several, addons=(), Nodes=nodes("", "m02", "m03")))
    programs.tell(start(several), Reply())
    programs.tell(STATUS, RUNNING)
    programs.tell(("minikube", "addons", "enable", "metrics-server", "--profile", "todo"), Reply())
    assert MinikubeEngine(several).decide_start(step).carry_out(step).detail.endswith("made, addon metrics-server")


def test_the_profile_is_asked_once_a_run_and_again_after_a_change(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    ours = MinikubeEngine(settings)
    ours.preflight()
    ours.decide_start(step).carry_out(step)
    ours.transports()
    assert len([call for call in programs.asked("minikube") if "list" in call["argv"]]) == 2, "before and after the lock was taken"


def test_a_full_disk_is_named_and_nothing_is_tried(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, Reply(json.dumps({**NODE, "Host": "InsufficientStorage"}), code=1))
    with pytest.raises(TaskError, match="no disk space"):
        MinikubeEngine(settings).decide_start(step).carry_out(step)


def test_an_older_kubernetes_is_upgraded_in_place(programs: Programs, settings: Settings, step: Step) -> None:
    older = {"KubernetesVersion": "v1.30.0", "ContainerRuntime": "containerd", "CNI": settings.minikube.cni}
    programs.tell(PROFILES, profile(settings, KubernetesConfig=older))
    programs.tell(STATUS, RUNNING)
    programs.tell(start(settings), Reply())
    assert MinikubeEngine(settings).decide_start(step).carry_out(step).kind == "changed"


def test_only_the_addons_that_the_profile_lacks_are_enabled(programs: Programs, settings: Settings, step: Step) -> None:
    wanted = settings.minikube.model_copy(update={"addons": ("metrics-server", "ingress")})
    settings = settings.model_copy(update={"minikube": wanted})
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    programs.tell(("minikube", "addons", "enable", "ingress", "--profile", "todo"))
    assert "addon ingress" in MinikubeEngine(settings).decide_start(step).carry_out(step).detail


def test_drift_is_told_with_what_to_do_before_anything_changes(programs: Programs, settings: Settings, step: Step) -> None:
    programs.tell(PROFILES, profile(settings, Memory=2048, CPUs=1))
    ours = MinikubeEngine(settings)
    with pytest.raises(InputError) as drift:
        ours.decide_start(step).carry_out(step)
    assert f"minikube.cpus: the cluster has 1, invoke.yaml says {settings.minikube.cpus}" in drift.value.cause
    assert "invoke down --cluster" in drift.value.cause
    assert "memory_mib: the cluster has 2048" in drift.value.evidence[0]


def test_profiles_that_minikube_cannot_read_are_a_missing_service(programs: Programs, settings: Settings) -> None:
    programs.tell(PROFILES, Reply('{"error":{"Op":"open","Err":13}}', "permission denied\n", code=80))
    assert MinikubeEngine(settings).unusable() == "minikube cannot list its profiles"


def test_an_extra_certificate_is_there_before_the_cluster_and_goes_with_it(
    programs: Programs, settings: Settings, step: Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "gateway.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    placed = tmp_path / "home" / ".minikube" / "certs" / "todo-extra-ca.pem"
    programs.tell(PROFILES, NO_PROFILES, profile(settings))
    programs.tell(start(settings), Reply())
    programs.tell(STATUS, RUNNING)
    programs.tell(("minikube", "delete", "--profile", "todo"))
    ours = MinikubeEngine(settings)
    ours.decide_start(step).carry_out(step)
    assert placed.read_text() == pem.read_text()
    assert "--embed-certs" in start(settings)
    assert ours.down(delete_data=False, delete_cluster=True, step=step).kind == "changed"
    assert not placed.exists()


def test_behind_a_proxy_minikube_kubectl_and_helm_reach_the_node_directly(
    programs: Programs, settings: Settings, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "example.com")
    programs.tell(PROFILES, profile(settings))
    programs.tell(STATUS, RUNNING)
    ours = MinikubeEngine(settings)
    ours.decide_start(step).carry_out(step)
    expected = "example.com," + ",".join(NODE_NETWORKS)
    assert {call["environment"]["NO_PROXY"] for call in programs.asked("minikube")} == {expected}
    assert ours.cluster.environment["NO_PROXY"] == expected

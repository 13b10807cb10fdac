"""What every pod and container of every rendering must be: restricted, bounded, probed, and sure to end."""

from __future__ import annotations

import re

import pytest

from scripts.engines.docker.pod_spec import cpus, quantity
from tests.render.chart import Object, containers, matches, of_kind, one, pods, render, scenario, title

pytestmark = pytest.mark.render

RESTRICTED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
AMOUNTS = ("cpu", "memory", "ephemeral-storage")


def services_of(objects: list[Object]) -> list[Object]:
    return of_kind(objects, "Deployment")


def test_every_container_meets_restricted_and_has_a_read_only_root(objects: list[Object]) -> None:
    wanted = {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    found = list(containers(objects))
    assert found
    for name, container in found:
        context = dict(container["securityContext"])
        assert context.pop("runAsUser") > 0, name
        assert context.pop("runAsGroup") > 0, name
        assert context == wanted, name


def test_every_pod_meets_restricted_at_its_own_level_too(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["fsGroup"] == context["runAsGroup"], name
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            own = container["securityContext"]
            assert {key: own[key] for key in ("runAsUser", "runAsGroup")} == {key: context[key] for key in ("runAsUser", "runAsGroup")}, (
                name
            )
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostAliases"} & set(pod["spec"]), name
        for volume in pod["spec"].get("volumes", []):
            assert set(volume) - {"name"} <= RESTRICTED_VOLUMES, f"{name}: {volume}"


def test_no_pod_gets_a_token_or_the_default_account(objects: list[Object]) -> None:
    accounts = {o["metadata"]["name"]: o for o in of_kind(objects, "ServiceAccount")}
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())
    for name, pod in pods(objects):
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert pod["spec"]["enableServiceLinks"] is False, name
        assert pod["spec"]["serviceAccountName"] in accounts, name


def test_every_container_has_requests_and_limits_within_each_other(objects: list[Object]) -> None:
    for name, container in containers(objects):
        resources = container["resources"]
        for amount in AMOUNTS:
            number = cpus if amount == "cpu" else quantity
            assert 0 < number(resources["requests"][amount]) <= number(resources["limits"][amount]), f"{name}: {amount}"


def test_every_writable_path_is_an_emptydir_with_a_limit_or_a_claim(objects: list[Object]) -> None:
    for owner, pod in pods(objects):
        every = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        volumes = {name: volume for name, volume in every.items() if "configMap" not in volume}  # those nobody writes to
        for volume in volumes.values():
            assert quantity(volume["emptyDir"]["sizeLimit"]) > 0, f"{owner}: {volume}"
        limits = sum(quantity(volume["emptyDir"]["sizeLimit"]) for volume in volumes.values())
        bound = max(quantity(c["resources"]["limits"]["ephemeral-storage"]) for c in pod["spec"]["containers"])
        assert limits <= bound, f"{owner}: emptyDirs of {limits} bytes in a pod limited to {bound}"


def test_every_mount_has_its_volume(objects: list[Object]) -> None:
    claims = {title(o): {claim["metadata"]["name"] for claim in o["spec"]["volumeClaimTemplates"]} for o in of_kind(objects, "StatefulSet")}
    for owner, pod in pods(objects):
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])} | claims.get(owner, set())
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            mounts = container.get("volumeMounts", [])
            assert {mount["name"] for mount in mounts} <= volumes, owner
            assert len({mount["mountPath"] for mount in mounts}) == len(mounts), owner


def test_images_have_a_fixed_tag_or_a_digest(objects: list[Object]) -> None:
    for name, container in containers(objects):
        assert re.search(r"(:(?!latest$)[\w][\w.-]*|@sha256:[0-9a-f]{64})$", container["image"]), name


def test_a_service_without_a_port_has_pods_and_nothing_that_leads_to_them() -> None:
    objects = scenario("another application, everything switched on")
    kinds = {o["kind"] for o in objects if o["metadata"]["name"] == "todo-chatbot-worker"}
    assert kinds == {"Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"}
    pod = one(objects, "Deployment", "todo-chatbot-mailer")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert not {"ports", "env", "lifecycle", "startupProbe", "readinessProbe", "livenessProbe"} & set(container)
    assert pod["terminationGracePeriodSeconds"] == 25


def test_metrics_are_read_where_a_service_has_them_and_nowhere_else() -> None:
    values = {"monitoring": {"enabled": True}, "serviceDefaults": {"autoscaling": {"requestsInFlight": 9}}}
    objects = render({**values, "services": {"frontend": {"metricsPath": ""}}})
    assert [o["metadata"]["name"] for o in of_kind(objects, "ServiceMonitor")] == ["todo-chatbot-backend"]
    asked = {o["metadata"]["name"]: len(o["spec"]["metrics"]) for o in of_kind(objects, "HorizontalPodAutoscaler")}
    assert asked == {"todo-chatbot-backend": 2, "todo-chatbot-frontend": 1}


def test_a_service_runs_as_the_user_that_it_names() -> None:
    objects = scenario("another application, everything switched on")
    users = {name: (pod["spec"]["securityContext"]["runAsUser"], pod["spec"]["securityContext"]["fsGroup"]) for name, pod in pods(objects)}
    prefix = "Deployment/todo-chatbot-"
    assert {name.removeprefix(prefix): ids for name, ids in users.items()} == {
        "api": (1001, 1001),
        "page": (101, 101),
        "cache": (999, 1000),
        "worker": (1001, 1001),
        "mailer": (10001, 10001),
        "Pod/todo-chatbot-test": (1001, 1001),
    }


def test_the_grace_period_covers_the_sleep_and_the_drain(objects: list[Object]) -> None:
    for deployment in services_of(objects):
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"] if container.get("ports") else 0
        assert sleep >= 5 or not container.get("ports"), title(deployment)
        assert pod["terminationGracePeriodSeconds"] >= sleep + 20 + 5, title(deployment)


def test_the_grace_period_is_the_sum_of_its_parts() -> None:
    objects = render({"serviceDefaults": {"shutdown": {"sleepSeconds": 7, "drainSeconds": 40, "marginSeconds": 3}}})
    graces = {d["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] for d in services_of(objects)}
    assert graces == {50}


def test_an_update_adds_one_pod_before_it_takes_one(objects: list[Object]) -> None:
    for deployment in services_of(objects):
        assert deployment["spec"]["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }
        assert deployment["spec"]["revisionHistoryLimit"] >= 1


def test_replicas_stand_only_where_no_autoscaler_does(objects: list[Object]) -> None:
    scaled = {o["spec"]["scaleTargetRef"]["name"] for o in of_kind(objects, "HorizontalPodAutoscaler")}
    for deployment in services_of(objects):
        assert ("replicas" in deployment["spec"]) != (deployment["metadata"]["name"] in scaled), title(deployment)


def test_autoscalers_have_a_target_that_exists_and_a_request_to_measure_by(objects: list[Object]) -> None:
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        spec = scaler["spec"]
        target = one(objects, spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"])
        assert 2 <= spec["minReplicas"] < spec["maxReplicas"]
        assert spec["metrics"][0]["resource"]["name"] == "cpu"
        assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 60
        for container in target["spec"]["template"]["spec"]["containers"]:
            assert cpus(container["resources"]["requests"]["cpu"]) > 0


@pytest.mark.parametrize("wanted", [0, 20])
def test_autoscalers_ask_for_requests_in_flight_only_where_a_value_says_so(wanted: int) -> None:
    scalers = of_kind(render({"serviceDefaults": {"autoscaling": {"requestsInFlight": wanted}}}), "HorizontalPodAutoscaler")
    assert scalers
    for scaler in scalers:
        beside_cpu = [metric.get("pods") for metric in scaler["spec"]["metrics"][1:]]
        metric = {"metric": {"name": "http_requests_in_flight"}, "target": {"type": "AverageValue", "averageValue": "20"}}
        assert beside_cpu == ([metric] if wanted else [])


def test_budgets_never_block_a_drain(objects: list[Object]) -> None:
    budgets = of_kind(objects, "PodDisruptionBudget")
    assert len(budgets) == len(services_of(objects))
    for budget in budgets:
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_selectors_match_their_own_pods_and_no_others(objects: list[Object]) -> None:
    every_pod = dict(pods(objects))
    for thing in of_kind(objects, "Deployment", "StatefulSet", "Service", "PodDisruptionBudget"):
        selector = thing["spec"]["selector"]
        selector = selector if "matchLabels" in selector else {"matchLabels": selector}
        assert set(selector["matchLabels"]) == {
            "app.kubernetes.io/name",
            "app.kubernetes.io/instance",
            "app.kubernetes.io/component",
        }, title(thing)
        selected = [owner for owner, pod in every_pod.items() if matches(selector, pod["metadata"]["labels"])]
        assert [owner.split("/")[1] for owner in selected] == [thing["metadata"]["name"]], title(thing)


def test_services_lead_to_ports_that_their_pods_have(objects: list[Object]) -> None:
    for service in of_kind(objects, "Service"):
        assert service["spec"]["type"] == "ClusterIP"
        (pod,) = [pod for _, pod in pods(objects) if matches({"matchLabels": service["spec"]["selector"]}, pod["metadata"]["labels"])]
        names = {port["name"]: port["containerPort"] for c in pod["spec"]["containers"] for port in c.get("ports", [])}
        for port in service["spec"]["ports"]:
            if port["name"] == "closed":
                assert port["targetPort"] == port["port"] not in names.values(), title(service)
            else:
                assert names[port["targetPort"]] == port["port"], title(service)


def test_every_object_carries_the_common_labels(objects: list[Object]) -> None:
    wanted = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component", "part-of", "version", "managed-by")}
    for thing in objects:
        assert wanted | {"helm.sh/chart"} <= set(thing["metadata"]["labels"]), title(thing)
        assert "namespace" not in thing["metadata"], title(thing)


def test_no_pod_label_holds_a_version_that_would_restart_everything(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        if not name.startswith("Pod/"):
            assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(pod["metadata"]["labels"]), name


def test_secret_keys_come_one_by_one_and_nothing_else_comes_from_a_secret(objects: list[Object]) -> None:
    assert not of_kind(objects, "Secret")
    for name, container in containers(objects):
        assert "envFrom" not in container, name
        env = container.get("env", [])
        assert len({entry["name"] for entry in env}) == len(env), f"{name}: a variable stands twice"
        for entry in env:
            reference = entry.get("valueFrom")
            if reference:
                assert set(reference) == {"secretKeyRef"}, name
                assert set(reference["secretKeyRef"]) == {"name", "key"}, name
            else:
                assert not re.search(r"TOKEN|PASS|KEY|DATABASE_URL", entry["name"]), f"{name}: {entry['name']} is plain"


def test_init_containers_have_the_image_environment_and_mounts_of_their_service(minimal: list[Object]) -> None:
    pod = one(minimal, "Deployment", "todo-chatbot-backend")["spec"]["template"]["spec"]
    (init,), (main,) = pod["initContainers"], pod["containers"]
    assert init["command"] == ["python", "-m", "todo_backend.migrate"]
    for key in ("image", "env", "volumeMounts", "securityContext", "resources"):
        assert init[key] == main[key], key


def test_the_services_get_what_the_architecture_says(minimal: list[Object]) -> None:
    def environment(name: str) -> dict[str, object]:
        (container,) = one(minimal, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        return {e["name"]: e.get("value") or e["valueFrom"]["secretKeyRef"]["key"] for e in container["env"]}

    assert environment("todo-chatbot-backend") == {
        "PORT": "8000",
        "LOG_LEVEL": "info",
        "GEMINI_MODEL": "gemini-2.5-flash",
        "DATABASE_URL": "DATABASE_URL",
        "GEMINI_API_KEY": "GEMINI_API_KEY",
        "API_TOKEN": "API_TOKEN",
    }
    assert environment("todo-chatbot-frontend") == {
        "PORT": "3000",
        "LOG_LEVEL": "info",
        "BACKEND_URL": "http://todo-chatbot-backend:8000",
        "API_TOKEN": "API_TOKEN",
    }


@pytest.mark.parametrize("release", ["todo-chatbot", "prod"])
def test_the_frontend_calls_the_backend_of_its_own_release(release: str) -> None:
    objects = render({"fullnameOverride": release})
    (container,) = one(objects, "Deployment", f"{release}-frontend")["spec"]["template"]["spec"]["containers"]
    backend = one(objects, "Service", f"{release}-backend")
    url = next(entry["value"] for entry in container["env"] if entry["name"] == "BACKEND_URL")
    assert url == f"http://{backend['metadata']['name']}:{backend['spec']['ports'][0]['port']}"


def test_pods_stay_within_what_the_preview_engine_runs(minimal: list[Object]) -> None:
    from scripts.engines.docker.pod_spec import plan

    made = plan(minimal)
    assert {pod.workload for pod in made.pods} == {f"todo-chatbot-{s}" for s in ("backend", "frontend", "postgres")}


def test_in_development_the_sources_are_writable_copies_and_nothing_else_differs() -> None:
    production = one(scenario("minimal"), "Deployment", "todo-chatbot-backend")["spec"]["template"]["spec"]
    pod = one(scenario("in development"), "Deployment", "todo-chatbot-backend")["spec"]["template"]["spec"]
    container, before = pod["containers"][0], production["containers"][0]
    assert container["command"] == ["python3", "/etc/in-dev/dev.py", "run", "python", "-m", "todo_backend"]
    new = [mount for mount in container["volumeMounts"] if mount not in before["volumeMounts"]]
    assert {mount["name"]: mount["mountPath"] for mount in new} == {
        "in-dev": "/etc/in-dev",
        "in-sources-0": "/app/todo_backend",
        "in-sources-1": "/srv",
    }
    fill = [init for init in pod["initContainers"] if init["name"].startswith("in-sources-")]
    assert [init["command"][2:] for init in fill] == [["copy", "/app/todo_backend", "/in-sources/0"], ["copy", "/srv", "/in-sources/1"]]
    assert pod["initContainers"][: len(fill)] == fill
    assert {**container, "command": None, "volumeMounts": None} == {**before, "command": None, "volumeMounts": None}

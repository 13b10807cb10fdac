"""What is asked over the run's own connection: a server that answers as the API server does stands behind it."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

from scripts.config.settings import KubeContext, load_settings
from scripts.core.errors import TaskError
from scripts.core.shell import CommandError, Result
from scripts.desired.secrets import Secret
from scripts.engines.kube_context import KubeContextEngine
from scripts.kubernetes import connection, drift, helm, manifests
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import reachable
from scripts.kubernetes.helm import Revision
from scripts.kubernetes.nodes import detect
from scripts.kubernetes.own_namespace import POD_SECURITY, OwnNamespace
from scripts.kubernetes.resources import RESOURCES, named
from tests.doubles import Step

pytestmark = pytest.mark.unit

SPACE = "/api/v1/namespaces/todo"


class Server:
    """Answers by path, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []
        self.opened = 0
        self.delay = 0.0

    def tell(self, path: str, content: Any, status: int = 200) -> None:
        self.answers[path] = (status, content)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of ours in the place of `kubectl proxy`."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append(f"{self.command} {self.path}")
            time.sleep(told.delay)
            status, content = told.answers.get(self.path.partition("?")[0], (403, {"kind": "Status"}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        do_PATCH = do_GET  # noqa: N815 - the library wants it

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()

    @contextmanager
    def proxy(*_: Any) -> Iterator[connection.Connect]:
        told.opened += 1
        yield lambda timeout: http.client.HTTPConnection("127.0.0.1", listening.server_port, timeout=timeout)

    monkeypatch.setattr(connection, "proxy", proxy)
    yield told
    listening.shutdown()
    listening.server_close()
    thread.join()


class Told(Cluster):
    """A cluster whose kubectl and helm say one word: that they were asked."""

    def kubectl(self, *argv: str, **_: Any) -> Result:
        raise CommandError(f"kubectl {' '.join(argv)}", (), Result(1, "", "", 0))

    helm = kubectl


CLUSTER = Told("any", "todo", "todo")


def test_objects_are_asked_over_one_connection_and_look_as_kubectl_shows_them(server: Server) -> None:
    server.tell(f"{SPACE}/pods", {"items": [{"metadata": {"name": "one", "managedFields": [{}]}}]})
    server.tell(f"{SPACE}/services", {"items": []})
    server.tell("/api/v1/nodes", {"items": [{"metadata": {"name": "node"}}]})
    with connection.kept():
        found = CLUSTER.get("pods,services", selector="a=b,c=d")
        assert found == [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}}]
        assert CLUSTER.names("nodes") == ["node"]
    assert server.asked[0] == f"GET {SPACE}/pods?labelSelector=a%3Db%2Cc%3Dd"
    assert server.opened == 1


def test_a_run_starts_no_kubectl_for_its_context_or_for_a_pod_of_a_node(server: Server) -> None:
    server.tell("/api/v1/pods", {"items": [{"metadata": {"name": "one", "uid": "uid-1"}}, {"metadata": {"name": "two", "uid": "uid-2"}}]})
    engine = KubeContextEngine(load_settings().model_copy(update={"kube_context": KubeContext(context="theirs")}))
    with connection.kept():
        assert engine._not_named() == ""
        assert detect._pod_on(CLUSTER, "here") == "uid-1"
        server.tell("/api/v1/pods", {"items": []})
        assert detect._pod_on(CLUSTER, "here") == ""
    assert server.asked[0] == "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dhere%2Cstatus.phase%3DRunning"


def test_a_name_that_is_not_there_is_no_object(server: Server) -> None:
    server.tell("/api/v1/namespaces/todo", {"kind": "Status"}, status=404)
    with connection.kept():
        assert CLUSTER.get("namespace", "todo") == []


@pytest.mark.parametrize("kind", ["pods", "prometheuses.monitoring.coreos.com"], ids=["refused", "not one of Kubernetes itself"])
def test_what_cannot_be_asked_is_asked_by_kubectl_for_its_words(server: Server, kind: str) -> None:
    with connection.kept(), pytest.raises(TaskError, match=f"kubectl get {kind}"):
        CLUSTER.get(kind)


def test_outside_of_a_run_programs_are_asked(server: Server) -> None:
    with pytest.raises(TaskError, match="kubectl get pods"):
        CLUSTER.get("pods")
    assert server.opened == 0


def test_a_server_that_hangs_is_not_asked_twice(server: Server) -> None:
    server.delay = 1.0
    with connection.kept(), pytest.raises(CommandError, match=r"did not answer within 0\.2 s"):
        CLUSTER.get("pods", timeout=0.2)


@pytest.mark.parametrize(("status", "reason"), [(200, ""), (401, "kubectl version --output json --request-timeout=5s")])
def test_a_server_that_refuses_us_is_not_called_reachable(server: Server, status: int, reason: str) -> None:
    server.tell("/version", {"kind": "Status"}, status=status)
    with connection.kept():
        assert reachable(CLUSTER) == reason


def test_no_connection_is_tried_once_and_leaves_kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def proxy(*_: Any) -> None:
        tried.append(1)
        raise TaskError("it does not start")

    monkeypatch.setattr(connection, "proxy", proxy)
    with connection.kept():
        for _ in range(2):
            with pytest.raises(TaskError, match="kubectl get pods"):
                CLUSTER.get("pods")
    assert tried == [1]


def test_a_cluster_that_was_made_again_gets_a_new_connection(server: Server) -> None:
    server.tell(f"{SPACE}/pods", {"items": []})
    with connection.kept():
        CLUSTER.get("pods")
        connection.renew()
        CLUSTER.get("pods")
    assert server.opened == 2


def record(version: int, description: str) -> dict[str, Any]:
    content = {"version": version, "info": {"status": "deployed", "description": description}, "manifest": f"manifest {version}"}
    data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(content).encode()))).decode()
    labels = {"version": str(version), "status": "deployed"}
    metadata = {"name": f"v{version}", "uid": f"uid-{description}", "resourceVersion": "1", "labels": labels}
    return {"metadata": metadata, "data": {"release": data}}


@pytest.mark.parametrize(("manager", "changes"), [("todo-tasks", []), ("kubectl-create", ["make the Secret todo-web-1 again"])])
def test_a_secret_that_somebody_has_put_in_place_of_ours_is_made_again(server: Server, manager: str, changes: list[str]) -> None:
    own = OwnNamespace(CLUSTER, "todo")
    labels = {**own.labels, **POD_SECURITY}
    server.tell(SPACE, {"metadata": {"name": "todo", "labels": labels}, "status": {}})
    server.tell(f"{SPACE}/secrets", {"items": [{"metadata": {"name": "todo-web-1", "managedFields": [{"manager": manager}]}}]})
    with connection.kept():
        decision = own.decide_secrets([Secret("web", "todo-web-1", {"TOKEN": "x"})], Step())
    assert [change.what for change in decision.changes] == changes


def test_of_helms_own_record_a_revision_is_read_when_it_is_needed_and_once(server: Server) -> None:
    revisions = [record(10, "ten"), record(9, "nine")]
    server.tell(f"{SPACE}/secrets", {"items": [{"metadata": each["metadata"]} for each in revisions]})
    for each in revisions:
        server.tell(f"{SPACE}/secrets/{each['metadata']['name']}", each)
    with connection.kept():
        history = helm.history(CLUSTER)
        assert history == [Revision(9, "deployed", str), Revision(10, "deployed", str)]
        assert helm.fingerprint(history[-1], history) == "ten"
        assert helm.manifest(CLUSTER) == "manifest 10"
    assert [path for path in server.asked if "secrets/" in path] == [f"GET {SPACE}/secrets/v10"]


@pytest.mark.parametrize("data", ["Z2FyYmFnZQ==", "!", base64.b64encode(base64.b64encode(b"x" * 40)).decode()])
def test_a_record_that_somebody_has_damaged_is_named_with_what_to_do(server: Server, data: str) -> None:
    damaged = record(9, "damaged") | {"data": {"release": data}}
    server.tell(f"{SPACE}/secrets", {"items": [{"metadata": damaged["metadata"]}]})
    server.tell(f"{SPACE}/secrets/v9", damaged)
    with connection.kept(), pytest.raises(TaskError, match="Secret v9 is damaged") as failure:
        helm.manifest(CLUSTER)
    assert failure.value.code == "helm-record-damaged"
    assert "delete secret v9, then invoke up" in failure.value.action


def test_a_helm_that_keeps_its_record_elsewhere_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    with connection.kept(), pytest.raises(TaskError, match="kubectl history todo"):
        helm.history(CLUSTER)


def service(**spec: Any) -> dict[str, Any]:
    annotations = {drift.RELEASE: "todo"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "annotations": annotations}, "spec": spec}


def test_drift_is_found_by_a_dry_run_of_each_object(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift.api, "as_it_would_be", lambda *_: service(type="ClusterIP"))
    server.tell(f"{SPACE}/services/a", service(type="NodePort"))
    with connection.kept():
        found = drift.compared(CLUSTER, yaml.safe_dump(service(type="ClusterIP")))
    assert [each.differences for each in found] == [("spec.type is NodePort, not ClusterIP",)]


def test_objects_of_one_kind_are_listed_and_one_that_changes_meanwhile_or_lost_its_label_is_asked_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(version: str, name: str, kind: str) -> dict[str, Any]:
        return service(type=kind) | {"metadata": {**service()["metadata"], "name": name, "resourceVersion": version}}

    names = ("same", "drifted", "moves", "unlabelled", "gone")
    would_be = {name: at("2" if name == "moves" else "1", name, "ClusterIP") for name in names}
    monkeypatch.setattr(drift.api, "as_it_would_be", lambda *asked: would_be[asked[3]["metadata"]["name"]])
    listed = [at("1", "same", "ClusterIP"), at("1", "drifted", "NodePort"), at("1", "moves", "ExternalName")]
    server.tell(f"{SPACE}/services", {"items": [{part: each[part] for part in ("metadata", "spec")} for each in listed]})
    server.tell(f"{SPACE}/services/moves", at("2", "moves", "ClusterIP"))
    server.tell(f"{SPACE}/services/unlabelled", at("1", "unlabelled", "ClusterIP"))
    server.tell(f"{SPACE}/services/gone", {}, status=404)
    with connection.kept():
        found = drift.compared(CLUSTER, "".join(f"---\n{yaml.safe_dump(each)}" for each in would_be.values()))
    assert {each.name: each.differences[0] for each in found} == {"drifted": "spec.type is NodePort, not ClusterIP", "gone": "is gone"}
    asked = [line.removeprefix(f"GET {SPACE}/services") for line in server.asked]
    assert asked[0] == "?labelSelector=app.kubernetes.io%2Finstance%3Dtodo"
    assert sorted(asked[1:]) == ["/gone", "/moves", "/unlabelled"]


def test_somebody_elses_object_is_told_though_ours_could_not_be_made_of_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift.api, "as_it_would_be", lambda *_: None)  # refused
    theirs = service(type="ClusterIP")
    theirs["metadata"] = {"name": "a"}
    server.tell(f"{SPACE}/services/a", theirs)
    with connection.kept():
        (found,) = drift.compared(CLUSTER, yaml.safe_dump(service(type="ClusterIP")))
    assert found.differences == ("is somebody else's, made by hand",)


def test_a_manifest_without_an_object_has_the_others() -> None:
    ours, other = yaml.safe_dump(service()), yaml.safe_dump({"kind": "Service", "metadata": {"name": "b"}})
    assert list(yaml.safe_load_all(manifests.without(f"---\n{ours}---\n{other}", {("Service", "a")}))) == [yaml.safe_load(other)]
    assert manifests.without(ours, set()) == ours


def test_an_object_that_is_gone_is_told_and_a_refused_dry_run_is_left_to_kubectl(server: Server) -> None:
    path = f"{SPACE}/services/a"
    server.tell(path, {}, status=404)
    with connection.kept():
        with pytest.raises(TaskError, match="kubectl get --ignore-not-found"):
            drift.compared(CLUSTER, yaml.safe_dump(service()))
        assert any(line.startswith(f"PATCH {path}?dryRun=All&force=true") for line in server.asked)


def test_resources_have_the_names_that_kubectl_knows() -> None:
    assert {each.plural for each in RESOURCES} >= {"networkpolicies", "ingresses", "statefulsets", "apiservices", "limitranges"}
    assert named("crd") is named("customresourcedefinitions")
    assert named("Pod") is named("pods")
    assert named("widgets.example.com") is None

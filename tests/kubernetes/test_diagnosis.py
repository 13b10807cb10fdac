"""The pure rules over snapshots of real releases, recorded on Kubernetes 1.36, and over variations of them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.kubernetes import rollout
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.diagnose import diagnose
from scripts.kubernetes.diagnosis.snapshot import Snapshot, time_of
from scripts.kubernetes.objects import REVISION, is_rolled_out, request_of, selects
from tests.cluster.recordings import FOLDER, from_json, read_recording, to_json
from tests.faults.releases import FAULTS, HEALTHY, Fault
from tests.kubernetes.changes import event, refused_next

pytestmark = pytest.mark.unit

Object = dict[str, Any]


def changed(name: str, change: Callable[[Object], None]) -> Snapshot:
    """A recording with something about it changed."""
    value = copy.deepcopy(to_json(read_recording(name)))
    change(value)
    return from_json(value)


def codes(snapshot: Snapshot) -> list[str]:
    return [d.code for d in diagnose(snapshot)]


def status_of(value: Object, kind: str = "containerStatuses") -> Object:
    return value["pods"][0]["status"][kind][0]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_recorded_cause_is_named_rightly(fault: Fault) -> None:
    (diagnosis,) = diagnose(read_recording(fault.name))
    assert diagnosis.code == fault.code
    assert diagnosis.workload == fault.name
    assert fault.says in diagnosis.cause
    assert "\n" not in diagnosis.cause
    assert diagnosis.evidence
    assert diagnosis.action


@pytest.mark.parametrize("fault", HEALTHY, ids=lambda fault: fault.name)
def test_a_recorded_healthy_release_has_no_diagnosis(fault: Fault) -> None:
    assert diagnose(read_recording(fault.name)) == []


def test_a_snapshot_survives_being_written_as_json() -> None:
    snapshot = read_recording("crash")
    again = from_json(json.loads(json.dumps(to_json(snapshot))))
    assert diagnose(again) == diagnose(snapshot)


@pytest.mark.parametrize(
    ("image", "action"), [("todo-backend:h0123456789ab", "invoke up builds"), ("docker.io/grafana/grafana:13.2.0", "give the node access")]
)
def test_what_to_do_about_a_missing_image_depends_on_whose_it_is(image: str, action: str) -> None:
    def named(value: Object) -> None:
        value["pods"][0]["spec"]["containers"][0]["image"] = image

    (diagnosis,) = diagnose(changed("image-missing", named))
    assert diagnosis.action.startswith(action)


def test_events_of_pods_that_are_gone_decide_nothing() -> None:
    def other_pod(value: Object) -> None:
        for each in value["events"]:
            each["involvedObject"]["uid"] = "of-a-pod-that-is-gone"

    assert codes(changed("readiness-refused", other_pod)) == []
    assert codes(changed("liveness", other_pod)) != ["liveness-failing"]


def test_pods_of_an_older_revision_are_not_looked_at() -> None:
    def older(value: Object) -> None:
        newer = copy.deepcopy(value["replica_sets"][0])
        newer["metadata"] |= {"uid": "newer", "name": "newer", "annotations": {REVISION: "2"}}
        newer["status"] = {}
        value["replica_sets"].append(newer)

    assert codes(read_recording("image-name")) == ["image-name-invalid"]
    assert codes(changed("image-name", older)) == []


NEW_ENV = [{"name": "B", "value": "s3cret"}, {"name": "URL", "value": "http://localhost:8000"}]


def test_what_a_failing_revision_has_otherwise_than_the_one_that_serves_is_evidence() -> None:
    def serves_still(value: Object) -> None:
        newest = value["replica_sets"][0]
        newest["metadata"]["annotations"] = {REVISION: "2"}
        old = copy.deepcopy(newest)
        old["metadata"] |= {"uid": "old", "name": "old", "annotations": {REVISION: "1"}}
        old["status"] = {"readyReplicas": 1}
        container, before = (each["spec"]["template"]["spec"]["containers"][0] for each in (newest, old))
        container["image"], before["image"] = "todo:2", "todo:1"
        container["env"], before["env"] = [*NEW_ENV, {"name": "C", "value": "c"}], [{"name": "B", "value": "b"}]
        before["readinessProbe"] = {"httpGet": {"path": "/ready"}}
        value["replica_sets"].append(old)

    (diagnosis,) = diagnose(changed("crash", serves_still))
    new = [line.removeprefix("new in this revision: ") for line in diagnosis.evidence if line.startswith("new in this revision: ")]
    assert new == [
        "containers.app.env: B changed, URL added, and names localhost, which is the pod itself, C added",
        "containers.app.image is todo:2, was todo:1",
        'containers.app.readinessProbe is not set, was {"httpGet": {"path": "/ready"}}',
    ]
    assert not any("new in" in line for line in diagnose(read_recording("crash"))[0].evidence)


def test_a_pod_on_its_way_out_is_not_looked_at() -> None:
    def leaves(value: Object) -> None:
        value["pods"][0]["metadata"]["deletionTimestamp"] = value["taken"]

    assert codes(changed("image-name", leaves)) == []


def test_a_container_that_exited_once_and_came_back_is_well() -> None:
    assert read_recording("healed").pods[0]["status"]["containerStatuses"][0]["restartCount"] == 1

    def exited_twice(value: Object, ago: timedelta) -> None:
        status_of(value)["restartCount"] = 2
        finished = time_of(status_of(value)["lastState"]["terminated"]["finishedAt"])
        value["taken"] = (finished + ago).isoformat()

    assert codes(changed("healed", lambda value: exited_twice(value, timedelta(minutes=1)))) == ["crash-on-start"]
    assert codes(changed("healed", lambda value: exited_twice(value, timedelta(minutes=6)))) == []


@pytest.mark.parametrize(
    ("ran", "ago", "expected"), [(60, 20, ["killed-from-outside"]), (60, 90, []), (3, 20, ["out-of-memory"]), (3, 90, [])]
)
def test_what_was_killed_from_outside_is_well_once_it_has_run_for_a_minute(ran: int, ago: int, expected: list[str]) -> None:
    def killed(value: Object) -> None:
        starts = read_recording("healed").taken - timedelta(seconds=ago)
        ended = {
            "startedAt": (starts - timedelta(seconds=10 + ran)).isoformat(),
            "finishedAt": (starts - timedelta(seconds=10)).isoformat(),
        }
        status_of(value).update(restartCount=3, state={"running": {"startedAt": starts.isoformat()}})
        status_of(value)["lastState"] = {"terminated": {"exitCode": 137, **ended}}
        value["pods"][0]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "64Mi"}}

    assert codes(changed("healed", killed)) == expected


@pytest.mark.parametrize(("kills", "ago", "told"), [(1, 20, True), (1, 90, False), (2, 90, True)])
def test_one_kill_by_a_probe_is_forgotten_after_a_minute(kills: int, ago: int, *, told: bool) -> None:
    def killed(value: Object) -> None:
        starts = read_recording("healed").taken - timedelta(seconds=ago)
        ended = {"exitCode": 137, "startedAt": (starts - timedelta(hours=1)).isoformat(), "finishedAt": starts.isoformat()}
        status_of(value).update(restartCount=kills, state={"running": {"startedAt": starts.isoformat()}})
        status_of(value)["lastState"] = {"terminated": ended}
        event("Killing", "Container app failed liveness probe, will be restarted", "app")(value)

    assert codes(changed("healed", killed)) == (["liveness-failing"] if told else [])


def test_a_liveness_kill_is_told_from_a_crash_by_its_exit_code() -> None:
    def crashed_itself(value: Object) -> None:
        ended = status_of(value)["lastState"].get("terminated") or status_of(value)["state"]["terminated"]
        ended["exitCode"] = 1
        status_of(value)["restartCount"] = 3

    assert codes(changed("liveness", crashed_itself)) in (["crash-on-start"], ["crash-later"])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('psycopg.OperationalError: could not translate host name "db" to address: Name or service not known', "database-name-unknown"),
        ("error: DNS name not found", "database-name-unknown"),
        ("Error: getaddrinfo ENOTFOUND todo-chatbot-postgres (database)", "database-name-unknown"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "database-name-unknown"),
        ('connection to server at "10.0.0.1", port 5432 failed: Connection refused', "database-refused"),
        ("OSError: Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 5432)", "database-refused"),
        ('FATAL: password authentication failed for user "todo"', "database-login"),
        ("error: login refused: pg_hba.conf has no line for it, or the role may not log in", "database-login"),
        ("error: the database does not exist", "database-login"),
        ("error: too many connections", "database-busy"),
        ("FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute", "database-busy"),
        ("error: a query timed out (is a lock held?)", "database-locked"),
        ("ERROR: canceling statement due to lock timeout", "database-locked"),
        ("error: the database is read-only", "database-unwritable"),
        ("error: the database is out of disk, memory or connections", "database-unwritable"),
        ("error: the tables do not exist: the migrations have not run", "database-unmigrated"),
        ('error: relation "users" does not exist', "database-unmigrated"),
        ("sqlite3.OperationalError: no such table: users (database app.db)", "database-unmigrated"),
        ("error: timed out (egress blocked?)", "database-silent"),
        ("connect: No route to host", "database-silent"),
        ('{"message": "waiting for the database", "reason": "connection refused"}', "database-refused"),
        ("error: migration failed: relation todos does not exist", "migration-failed"),
        ("error: migration failed: canceling statement: timed out", "migration-failed"),
        ("ValueError: what is this?", "migration-failed"),
        ("error: DATABASE_URL names the parameter `sslmod`, which is not supported: leave it out", "database-url"),
    ],
)
def test_the_last_words_of_a_migration_name_the_cause(line: str, code: str) -> None:
    def last_words(value: Object) -> None:
        value["logs"] = {key: ["starting", line] for key in value["logs"]}

    assert codes(changed("migration", last_words)) == [code]


@pytest.mark.parametrize(
    ("line", "set_back"),
    [
        ('error: migration failed: column "notes" of relation "todos" already exists', True),
        ("error: migration failed: canceling statement: timed out", False),
    ],
)
def test_a_migration_whose_work_is_there_already_points_at_the_record_of_migrations(line: str, *, set_back: bool) -> None:
    def last_words(value: Object) -> None:
        value["logs"] = {key: ["starting", line] for key in value["logs"]}

    (diagnosis,) = diagnose(changed("migration", last_words))
    assert ("(alembic_version and the like) says, set that right" in diagnosis.action) is set_back
    assert diagnosis.action.endswith("no new pod serves before it")


OWN = ". Nothing was changed. Set DATABASE_URL to a database of its own, for instance with CREATE DATABASE todo"
NEWER = "the schema is at revision 0003, newer than this version's 0001, and lacks what it needs: table todos, column todos.done"


@pytest.mark.parametrize(
    ("cause", "rest", "action"),
    [
        ("this database belongs to another application: its alembic_version is '9f3c'", OWN, "set DATABASE_URL to a database of its own"),
        ("this database holds tables of another application with the names of ours: todos", OWN, "set DATABASE_URL to a database of"),
        (NEWER, ". Run a version that knows revision 0003, or restore a backup from before it", "run a version that knows revision 0003"),
    ],
)
def test_a_database_that_the_migration_leaves_alone_is_no_fault_of_the_migration(cause: str, rest: str, action: str) -> None:
    def last_words(value: Object) -> None:
        value["logs"] = {key: ["starting", f"error: {cause}{rest}"] for key in value["logs"]}

    (diagnosis,) = diagnose(changed("migration", last_words))
    assert (diagnosis.code, diagnosis.cause) == ("database-not-ours", f"migration: {cause}")
    assert diagnosis.action.startswith(action)


def test_the_migrations_words_are_those_that_the_backend_says() -> None:
    source = (ROOT / "app/backend/src/todo_backend/migrate.py").read_text()
    beginnings = ("this database belongs to another application: its", "this database holds tables of another application with")
    for words in (*beginnings, "the schema is at revision {", "and lacks what it needs:", ". Run a version that", " Set DATABASE_URL to"):
        assert words in source


@pytest.mark.parametrize(
    ("message", "way"),
    [
        (
            "The pods \"a\" is invalid: : ValidatingAdmissionPolicy 'p' with binding 'team-here' denied request: no",
            "delete validatingadmissionpolicybinding team-here",
        ),
        ('admission webhook "deny.example.com" denied the request: no', "| grep deny.example.com shows whose it is"),
    ],
)
def test_who_refuses_a_pod_can_go(message: str, way: str) -> None:
    (diagnosis,) = diagnose(changed("healthy", refused_next(message)))
    assert diagnosis.code == "pod-refused"
    assert "is invalid" not in diagnosis.cause
    assert diagnosis.action.startswith("give the pods what it wants, or remove it: kubectl")
    assert way in diagnosis.action


def test_the_words_of_a_service_count_only_where_they_speak_of_a_database() -> None:
    def says(line: str) -> Callable[[Object], None]:
        def change(value: Object) -> None:
            value["logs"] = {key: [line] for key in value["logs"]}

        return change

    assert codes(changed("crash", says("redis: connection refused"))) == ["crash-on-start"]
    assert codes(changed("crash", says("postgres: connection refused"))) == ["database-refused"]


def test_silence_is_blocked_egress_only_where_a_policy_restricts_the_pod() -> None:
    def policy(selector: Object, kinds: list[str]) -> Callable[[Object], None]:
        def change(value: Object) -> None:
            labels = {"app.kubernetes.io/instance": value["release"]}
            value["policies"] = [{"metadata": {"name": "p", "labels": labels}, "spec": {"podSelector": selector, "policyTypes": kinds}}]

        return change

    everyone: Object = {}
    others = {"matchLabels": {"app.kubernetes.io/instance": "another"}}
    assert codes(changed("database-silent", policy(everyone, ["Egress"]))) == ["egress-blocked"]
    assert codes(changed("database-silent", policy(everyone, ["Ingress"]))) == ["database-silent"]
    assert codes(changed("database-silent", policy(others, ["Egress"]))) == ["database-silent"]


def test_where_the_database_is_the_releases_own_neither_its_address_nor_the_releases_policies_are_blamed() -> None:
    def bundled(value: Object) -> None:
        spec = {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": []}}}
        ready = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
        value["workloads"].append({"kind": "StatefulSet", "metadata": {"name": "p", "uid": "p"}, "spec": spec, "status": ready})
        value["pods"].append({"metadata": {"name": "p-0", "ownerReferences": [{"uid": "p"}]}, "spec": {"containers": []}})
        labels = {"app.kubernetes.io/instance": value["release"]}
        value["policies"] = [{"metadata": {"name": "own", "labels": labels}, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}}]

    (name,) = diagnose(changed("database-name", bundled))
    assert "configmap coredns" in name.action
    (silence,) = diagnose(changed("database-silent", bundled))
    assert silence.code == "database-silent"
    assert "kube-proxy" in silence.action


@pytest.mark.parametrize("code", ["database-refused", "readiness-http"])
def test_what_a_database_causes_follows_from_our_own_that_is_ailing(code: str) -> None:
    database, user = read_recording("volume"), read_recording(code)
    stateful = copy.deepcopy(to_json(database))
    stateful["workloads"][0] |= {"kind": "StatefulSet"}
    stateful["pods"][0]["metadata"]["ownerReferences"] = [{"uid": stateful["workloads"][0]["metadata"]["uid"]}]
    database = from_json(stateful)
    both = replace(
        user,
        workloads=[*user.workloads, *database.workloads],
        replica_sets=[*user.replica_sets],
        pods=[*user.pods, *database.pods],
        claims=database.claims,
        events=[*user.events, *database.events],
    )
    root, symptom = diagnose(both)
    assert (root.code, root.follows_from) == ("volume-unbound", "")
    assert (symptom.code, symptom.follows_from) == (code, "volume")
    assert not symptom.final_after(10_000)
    assert rollout.failure([root, symptom], both, 10).evidence[-1].endswith("(follows from volume)")


def test_what_admission_has_added_to_a_pod_that_ends_is_told_and_looked_at_first() -> None:
    def injected(value: Object) -> None:
        for pod in value["pods"]:
            pod["spec"]["containers"][0]["env"] = [{"name": "NODE_OPTIONS", "value": "--require /gone.js"}]
            pod["spec"]["containers"].append({"name": "agent", "image": "agent:1"})

    (diagnosis,) = diagnose(changed("crash", injected))
    told = [line.partition("admission: ")[2] for line in diagnosis.evidence if "was made so by admission" in line]
    assert told == ["container app: the variable NODE_OPTIONS is added", "container agent is added"]
    assert diagnosis.action.startswith("see who changes pods as they are made")
    assert not any("/gone.js" in line for line in diagnosis.evidence)


def test_a_rollout_without_progress_and_without_a_cause_is_stalled() -> None:
    def stalls(value: Object) -> None:
        value["pods"], value["replica_sets"] = [], []
        value["workloads"][0]["status"]["conditions"] = [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
        ]

    assert codes(changed("crash", stalls)) == ["stalled"]


FATAL = 'FATAL: could not load server certificate file "server.crt": No such file or directory'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["2026-11-28 18:00:00 UTC [1] " + FATAL, "2026-11-28 18:00:00 UTC [1] LOG:  database system is shut down"], FATAL),
        (["Traceback (most recent call last):", "ValueError: no port", "ERROR:    Application startup failed. Exiting."], "ValueError: no"),
        (["starting", "ERROR: no config", "bye"], "ERROR: no config"),
        (["/etc/Corefile:10 - Error during parsing: kache", "maxprocs: Leaving GOMAXPROCS=2"], "Error during parsing: kache"),
        (["starting", "bye"], "bye"),
    ],
)
def test_a_crash_is_told_with_the_line_that_says_why(lines: list[str], said: str) -> None:
    def logs(value: Object) -> None:
        value["logs"] = dict.fromkeys(value["logs"], lines)

    (diagnosis,) = diagnose(changed("crash", logs))
    assert diagnosis.code == "crash-on-start"
    assert said in diagnosis.cause


def test_a_database_without_its_write_ahead_log_is_told_how_its_data_comes_back() -> None:
    def logs(value: Object) -> None:
        lines = ["LOG:  database system was shut down", "PANIC:  could not locate a valid checkpoint record", "LOG:  aborted"]
        value["logs"] = dict.fromkeys(value["logs"], lines)

    (diagnosis,) = diagnose(changed("crash", logs))
    assert "PANIC: could not locate a valid checkpoint record" in diagnosis.cause
    assert "invoke restore FILE" in diagnosis.action


def test_patience_counts_seconds_and_exits() -> None:
    def of(code: str, exits: int = 0) -> Diagnosis:
        return Diagnosis(code, "w", "c", (), "a", exits)

    assert of("image-name-invalid").final_after(0)
    assert not of("image-not-on-node").final_after(9)
    assert of("image-not-on-node").final_after(10)
    assert not of("crash-on-start", exits=2).final_after(1000)
    assert of("crash-on-start", exits=3).final_after(0)
    assert not of("readiness-http").final_after(1e9)


@pytest.mark.parametrize(
    ("change", "complete"),
    [
        ({}, True),
        ({"observedGeneration": 0}, False),
        ({"updatedReplicas": 0}, False),
        ({"replicas": 2}, False),
        ({"availableReplicas": 0}, False),
    ],
)
def test_a_deployment_is_rolled_out_as_kubectl_sees_it(change: Object, complete: bool) -> None:
    workload = copy.deepcopy(read_recording("healthy").workloads[0])
    workload["status"] |= change
    assert is_rolled_out(workload) is complete


@pytest.mark.parametrize(
    ("change", "complete"), [({}, True), ({"updateRevision": "b"}, False), ({"readyReplicas": 0}, False), ({"availableReplicas": 0}, False)]
)
def test_a_stateful_set_is_rolled_out_when_its_pods_are_of_the_newest_revision(change: Object, complete: bool) -> None:
    status = {"observedGeneration": 1, "currentRevision": "a", "updateRevision": "a", "readyReplicas": 1, "availableReplicas": 1}
    workload = {"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": {**status, **change}}
    assert is_rolled_out(workload) is complete


def test_a_pod_asks_for_its_containers_together_or_its_largest_init_container() -> None:
    def container(cpu: str, **more: str) -> Object:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    small = {"spec": {"containers": [container("100m"), container("200m")], "initContainers": [container("250m")]}}
    large = {"spec": {"containers": [container("100m")], "initContainers": [container("2"), container("50m", restartPolicy="Always")]}}
    assert str(request_of(small, "cpu")) == "0.300"
    assert str(request_of(large, "cpu")) == "2"


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"app": "x"}}, True),
        ({"matchLabels": {"app": "y"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["x", "z"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["x"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_a_label_selector_selects(selector: Object, selected: bool) -> None:
    assert selects(selector, {"app": "x"}) is selected


def test_progress_tells_of_each_workload_how_many_pods_are_ready_and_what_the_rest_does() -> None:
    assert rollout.progress(read_recording("healthy")) == "healthy 1/1"
    assert rollout.progress(read_recording("image-never")) == "image-never 0/1 (ErrImageNeverPull)"
    assert rollout.progress(read_recording("cpu")) == "cpu 0/1 (not placed on a node yet)"
    assert rollout.progress(read_recording("database-waits")) == "database-waits 0/1 (migrate runs)"


def test_a_rollout_that_is_merely_slow_fails_with_its_states_as_they_are() -> None:
    error = rollout.failure([], read_recording("cpu"), 30)
    assert isinstance(error, TaskError)
    assert error.cause == "cpu: not ready after 30 s, and nothing says why"
    assert error.evidence == ("cpu 0/1 (not placed on a node yet)",)


def test_recordings_name_nothing_of_the_machine_that_made_them() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")]
    assert len(texts) == len(FAULTS) + len(HEALTHY)
    assert not [text for text in texts if re.search("/var/lib|/(root|home)/", text)]

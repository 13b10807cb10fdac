"""What is said of a start that failed, by the events and lines that Minikube's sources print."""

from __future__ import annotations

import json

import pytest

from scripts.core.shell import CommandError, Result
from scripts.engines.minikube.events import Listener
from tests.doubles import Step

pytestmark = pytest.mark.unit

BOX = (
    "╭──────────────────────────╮\n│    If the above advice does not help, please let us know:   │\n"
    "│    https://github.com/kubernetes/minikube/issues/new/choose    │\n"
    "│    Please run `minikube logs --file=logs.txt` and attach logs.txt to the GitHub issue.    │\n╰──────────────────────────╯\n"
)


def event(**data: str) -> str:
    return json.dumps({"type": "io.k8s.sigs.minikube.error", "data": data})


def test_boxes_pleas_and_templates_are_not_passed_on(step: Step) -> None:
    listener = Listener(step, "todo")
    advice = "Recreate the cluster by running:\n\t\tminikube delete {{.profileArg}}\n\t\tminikube start {{.profileArg}}"
    listener(event(message=BOX))
    listener(event(message='failed to get {{.what}} for ""\n│ lookup ip │', name="DRV_CP_ENDPOINT", exitcode="80", advice=advice))
    failure = listener.failure(CommandError("failed", [], Result(80, "", "", 1)))
    assert failure.cause == 'Minikube did not start: failed to get  for "" (DRV_CP_ENDPOINT)'
    assert failure.evidence == ("lookup ip",)
    assert failure.action == "invoke down --cluster, then invoke up"


def test_other_advice_names_the_profile(step: Step) -> None:
    listener = Listener(step, "todo")
    listener(event(message="no driver", name="X", exitcode="1", advice="minikube logs {{.profileArg}}"))
    assert listener.failure(CommandError("failed", [], Result(1, "", "", 1))).action == "minikube logs --profile todo"


def test_a_value_of_go_in_the_middle_of_an_error_is_not_passed_on(step: Step) -> None:
    listener = Listener(step, "todo")
    getter = (
        "&{Ctx:context.Background Src:https://dl/kubectl Detectors:[0x644a3c0] Getters:map[file:0x38] ProgressListener:<nil> Options:[]}"
    )
    message = f"downloading kubectl: download failed: https://dl/kubectl: getter: {getter}: invalid checksum: lookup dl: no such host"
    listener(event(message=message, name="INET_LOOKUP_HOST", exitcode="8"))
    cause = listener.failure(CommandError("failed", [], Result(8, "", "", 1))).cause
    said = "downloading kubectl: download failed: https://dl/kubectl: invalid checksum: lookup dl: no such host"
    assert cause == f"Minikube did not start: {said} (INET_LOOKUP_HOST)"

"""Checks of autoscalers and of quotas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scripts.audit.checks.objects import of_objects
from scripts.audit.facts import Facts, Finding, Objects, judged, not_checkable
from scripts.kubernetes.api import Object
from scripts.kubernetes.objects import condition_of, name_of, service_of, status_of
from scripts.kubernetes.quantity import parse_quantity

ACTIVE = "ScalingActive"
METRICS_SECONDS = 120  # metrics-server needs two readings of a pod, 15 s apart or more, and the autoscaler looks at what it has 15 s apart
SHOWN = ("pods", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory")
"""What of a quota is shown as evidence."""


def autoscalers(objects: Objects, facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether each service whose pods are to follow the load has an autoscaler that can add some."""
    scaled = {service_of(each): each["spec"] for each in objects.of("HorizontalPodAutoscaler")}
    wanted = [name for name, service in facts.settings.services.items() if service.is_autoscaled]
    wrong = [f"{name} has no HorizontalPodAutoscaler" for name in wanted if name not in scaled]
    wrong += [
        f"{name} can never have more than {spec['maxReplicas']}" for name, spec in scaled.items() if _minimum(spec) >= spec["maxReplicas"]
    ]
    return judged(
        objects.on, wrong, [f"{name}: {_minimum(spec)} to {spec['maxReplicas']} by {_metrics(spec)}" for name, spec in scaled.items()]
    )


def _minimum(spec: Object) -> int:
    return int(spec.get("minReplicas", 1))


def _metrics(spec: Object) -> str:
    return " and ".join(
        str((each.get("resource") or each.get("pods", {}).get("metric") or {"name": each["type"]})["name"]) for each in spec["metrics"]
    )


def autoscaling(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether autoscalers are at work, and when they have scaled last."""
    found = objects.of("HorizontalPodAutoscaler")
    wrong = [f"{name_of(each)}: {ACTIVE} is {status}: {reason}" for each in found for status, reason in [_active(each)] if status != "True"]
    if wrong and (age := _youngest(objects.of("Pod"))) < METRICS_SECONDS:
        return not_checkable(
            objects.on, f"pods began {age:.0f} s ago, and the metrics of new ones take up to {METRICS_SECONDS} s: look again"
        )
    wrong += [] if found else ["there is no HorizontalPodAutoscaler"]
    return judged(objects.on, wrong, [f"{name_of(each)} {ACTIVE}, {_scaled(each)}" for each in found])


def _youngest(pods: Sequence[Object]) -> float:
    """The age in seconds of the pod that began last; endless where none tells."""
    began = [datetime.fromisoformat(time) for pod in pods if (time := status_of(pod).get("startTime"))]
    return (datetime.now(UTC) - max(began)).total_seconds() if began else math.inf


def _active(autoscaler: Object) -> tuple[str, str]:
    """Whether it has figures to scale by, and why not."""
    condition = condition_of(autoscaler, ACTIVE) or {"status": "Unknown", "reason": "nothing has looked at it yet"}
    return condition["status"], condition.get("reason", "")


def _scaled(autoscaler: Object) -> str:
    status = status_of(autoscaler)
    last = status.get("lastScaleTime")
    now = f"{status.get('currentReplicas', 0)} pods"
    return f"{now}, scaled last at {last}" if last else f"{now}, has not scaled yet"


def quota(objects: Objects, _facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether a quota is in force and not exceeded."""
    found = objects.of("ResourceQuota")
    if not found:
        return judged(objects.on, ["there is no ResourceQuota"], ())
    if not objects.live:
        return judged(
            objects.on, [], [", ".join(f"{key} {value}" for each in found for key, value in sorted(each["spec"]["hard"].items()))]
        )
    amounts = [
        (key, status_of(each).get("used", {}).get(key), hard) for each in found for key, hard in status_of(each).get("hard", {}).items()
    ]
    wrong = [f"{name_of(each)} is not in force" for each in found if not status_of(each).get("hard")]
    wrong += [f"{key}: {used} of {hard} are used" for key, used, hard in amounts if used and parse_quantity(used) > parse_quantity(hard)]
    return judged(objects.on, wrong, [", ".join(f"{key} {used} of {hard}" for key, used, hard in sorted(amounts) if key in SHOWN)])


CHECKS = {
    "autoscalers": of_objects(autoscalers),
    "autoscaling": of_objects(autoscaling, live=True),
    "quota": of_objects(quota),
}

"""What in the cluster is not as the release says: what was changed past it, is gone, or was made by somebody else under its name.

What should run is asked of the API server: a server-side dry run of the release's manifest, so that defaults, normal forms and what
controllers own (the replicas that an autoscaler sets, status) differ from what runs in nothing. That leaves fields which somebody has
added and the manifest does not speak of; of those each object's `managedFields` tell, and who set what, and when.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.shell import CommandError
from scripts.kubernetes import api, helm, manifests, resources
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed, value_line
from scripts.kubernetes.managed_fields import Path, owner, program, shown_path, strays, value_at
from scripts.kubernetes.manifests import key
from scripts.kubernetes.objects import annotations_of, is_leaving, name_of
from scripts.kubernetes.resources import Resource

FIELD_MANAGER = "todo-tasks-dry-run"  # not helm's own: that one owns labels of helm's which no manifest has
RELEASE = "meta.helm.sh/release-name"
DELETE_SECONDS = 60
DRY_RUN_SECONDS = 60.0
AT_ONCE = 8
SCALED = ("Deployment", "StatefulSet")
REPLICAS: Path = ("spec", "replicas")


@dataclass(frozen=True)
class Drift:
    """One object that is not as the release says."""

    object: Object
    """As it runs, or, where it is gone, as it should."""
    differences: tuple[str, ...]
    replace: bool = False
    """Whether it must go before helm can make its own."""
    patch: tuple[Mapping[str, Any], ...] = ()
    """JSON patch of what helm leaves as it is: fields that its manifest does not speak of."""
    programs: tuple[str, ...] = ()
    """Who set what is different, where that is a program, which may do it again."""
    refused: bool = False
    """Whether the API server takes the manifest only after the patch: a value was set, say, where the manifest has a reference."""

    @property
    def kind(self) -> str:
        """The object's kind."""
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        """The object's name."""
        return name_of(self.object)

    @property
    def line(self) -> str:
        """The drift as one line for a person."""
        more = f" (and {len(self.differences) - 1} more)" if len(self.differences) > 1 else ""
        return f"{self.kind} {self.name}: {self.differences[0]}{more}"

    def diagnosis(self) -> Diagnosis:
        """Return the drift as a cause of what is wrong."""
        cause = f"{self.kind} is not as the release says: {self.differences[0]}"
        again = f"; {', '.join(self.programs)} may change it again: have it leave this namespace alone, first" if self.programs else ""
        return diagnosed(self.object, "drifted", cause, self.differences, self.way_out or f"invoke up brings it back{again}")

    @property
    def way_out(self) -> str:
        """What to do where something holds the object that is being deleted; empty where nothing does."""
        metadata = self.object["metadata"]
        if not (is_leaving(self.object) and metadata.get("finalizers")):
            return ""
        names = ", ".join(metadata["finalizers"])
        where = f"--namespace {metadata['namespace']} " if metadata.get("namespace") else ""
        end = f"kubectl {where}patch {self.kind.lower()} {self.name} --type=merge --patch '{NO_FINALIZERS}'"
        return f"bring back what takes {names} off, or where that is gone: {end}; then invoke up"


def refusal(release: str, message: str) -> Diagnosis:
    """Return what is wrong where the API server refuses even to judge the release's objects."""
    if "failed calling webhook" in message:
        action = (
            "bring back what serves the webhook, or remove it: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"
        )
        cause = f"{release}: an admission webhook that its objects have to pass does not answer: {message}"
        return Diagnosis("webhook-down", release, cause, (message,), action)
    cause = f"{release}: the API server refuses its objects as they should be: {message}"
    return Diagnosis("release-refused", release, cause, (message,), "fix what the message names; until then no update can be made")


def unseen(release: str, error: CommandError) -> Diagnosis:
    """Return what is to be said where the person who asks may not see whether the release's objects are as it says."""
    cause = f"{release}: whether its objects are as it says was not seen: {error.cause}"
    return Diagnosis("rights-missing", release, cause, tuple(error.evidence), error.action)


NO_FINALIZERS = '{"metadata":{"finalizers":null}}'
USUAL: Mapping[Path, Any] = {
    ("Service", "spec", "type"): "ClusterIP",
    ("Service", "spec", "sessionAffinity"): "None",
    ("Service", "spec", "internalTrafficPolicy"): "Cluster",
    ("Service", "spec", "ipFamilyPolicy"): "SingleStack",
}
"""What the API server fills in by itself: whoever writes just that has put something back, and added nothing."""


def find(cluster: Cluster) -> list[Drift]:
    """Return what is not as the release's newest revision says. Raises CommandError."""
    return compared(cluster, helm.manifest(cluster))


def compared(cluster: Cluster, manifest: str) -> list[Drift]:
    """Return which of the manifest's objects are not in the cluster as it says. Raises CommandError."""
    found: list[Drift] = []
    for namespace, part in manifests.by_namespace(manifest, cluster.namespace).items():
        if part.strip():
            found += _in_namespace(cluster.within(namespace, cluster.release), part)
    return found


def _in_namespace(cluster: Cluster, manifest: str) -> list[Drift]:
    if (asked := _asked(cluster, manifest)) is not None:
        return compare(*asked, cluster.release)
    dry = ("--dry-run=server", "--force-conflicts", f"--field-manager={FIELD_MANAGER}")
    live = _objects(cluster, "get", "--ignore-not-found", "--show-managed-fields", "--filename", "-", manifest=manifest)
    wanted = [each for each in live if _in_the_way(each, cluster.release)]  # none of ours is made of it, and trying to could be refused
    others = manifests.without(manifest, {key(each) for each in wanted})
    wanted += _objects(cluster, "apply", "--server-side", *dry, "--filename", "-", manifest=others) if others.strip() else []
    return compare(live, wanted, cluster.release)


def _asked(cluster: Cluster, manifest: str) -> tuple[list[Object], list[Object]] | None:
    """The objects as they run and as they would be, side by side over the run's connection; None where kubectl is to be asked."""
    documents = manifests.objects(manifest)
    known = [(resources.of_object(each["apiVersion"], each["kind"]), each) for each in documents]
    wanted = [(resource, each) for resource, each in known if resource]
    connect = cluster.connection() if len(wanted) == len(documents) else None
    if not connect:
        return None

    def listed(resource: Resource) -> dict[str, Object]:
        return api.as_they_are(connect, resource, cluster.namespace, cluster.selector, DRY_RUN_SECONDS)

    def ask(pair: tuple[Resource, Object]) -> tuple[tuple[Object | None] | None, Object | None]:
        resource, each = pair
        name = name_of(each)
        known = there.get(resource, {}).get(name)
        live = (known,) if known else api.as_it_is(connect, resource, cluster.namespace, name, DRY_RUN_SECONDS)
        if live and live[0] and _in_the_way(live[0], cluster.release):
            return live, live[0]
        would_be = api.as_it_would_be(connect, resource, cluster.namespace, each, FIELD_MANAGER, DRY_RUN_SECONDS)
        if known and would_be and known["metadata"].get("resourceVersion") != would_be["metadata"].get("resourceVersion"):
            live = api.as_it_is(connect, resource, cluster.namespace, name, DRY_RUN_SECONDS)  # it has changed since it was listed
        if would_be is None and live and live[0] and any(strays(live[0])):  # what somebody added does not go with what is ours
            would_be = live[0]
        return live, would_be

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        several = [resource for resource, count in Counter(resource for resource, _ in wanted).items() if count > 1]
        there = dict(zip(several, pool.map(listed, several), strict=True))
        answers = list(pool.map(ask, wanted))
    live = [found[0] for found, _ in answers if found]
    should = [each for _, each in answers if each]
    if len(live) < len(wanted) or len(should) < len(wanted):
        return None  # one was refused: kubectl tells it in its own words
    return [each for each in live if each], should


def _objects(cluster: Cluster, *argv: str, manifest: str) -> list[Object]:
    text = cluster.kubectl(*argv, "--output", "json", input=manifest, timeout=DRY_RUN_SECONDS).stdout
    if not text.strip():
        return []
    answer = json.loads(text)
    return list(answer["items"]) if answer["kind"] == "List" else [answer]


def compare(live: Sequence[Object], wanted: Sequence[Object], release: str) -> list[Drift]:
    """Return the objects that differ. Pure.

    live: as they run, with their managedFields. wanted: the same as they would be, were the manifest applied now.
    """
    there = {key(each): each for each in live}
    minimum = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"].get("minReplicas", 1)
        for each in wanted
        if each["kind"] == "HorizontalPodAutoscaler"
    }
    found = [_drift(there.get(key(each)), each, release, minimum.get(name_of(each)) if each["kind"] in SCALED else None) for each in wanted]
    return [drift for drift in found if drift]


def _in_the_way(live: Object, release: str) -> bool:
    """Whether an object must go before the release can have its own."""
    return is_leaving(live) or annotations_of(live).get(RELEASE) != release


def _drift(live: Object | None, wanted: Object, release: str, minimum: int | None) -> Drift | None:
    if live is None:
        return Drift(wanted, ("is gone",))
    if is_leaving(live):
        held = ", ".join(live["metadata"].get("finalizers", ()))
        return Drift(live, (f"is being deleted{f', held by {held}' if held else ''}",), replace=True)
    if annotations_of(live).get(RELEASE) != release:
        return Drift(live, (f"is somebody else's, made{_by(live, ('metadata',)) or ' by hand'}",), replace=True)
    told: dict[Path, str] = {}
    for path, is_now, should in _differences(_told_by_release(live), _told_by_release(wanted)):
        told[path] = f"{shown_path(live, path)} {_values(live, is_now, should)}{_was_set(live, path)}"
    patch: list[Mapping[str, Any]] = []
    if minimum is not None and live["spec"].get("replicas") == 0:  # an autoscaler does nothing then; any other number is its own affair
        told[REPLICAS] = f"spec.replicas is 0, and its autoscaler is off for that{_was_set(live, REPLICAS)}"
        patch.append({"op": "replace", "path": "/spec/replicas", "value": minimum})
    added = [path for path in strays(live) if USUAL.get((live["kind"], *path)) != value_at(live, path)]
    for path in sorted(added, reverse=True):  # the last of a list first: a removal moves what is after it
        if any(path[: len(known)] == known or known[: len(path)] == path for known in told) or (path == REPLICAS and minimum is not None):
            continue
        told[path] = f"{shown_path(live, path)} was added{_by(live, path)}"
        patch.append({"op": "remove", "path": "".join(f"/{_escaped(part)}" for part in path)})
    if not told:
        return None
    programs = tuple(sorted({who for path in told if (who := program(live, path))}))
    return Drift(live, tuple(told[path] for path in sorted(told)), patch=tuple(patch), programs=programs, refused=live is wanted)


def differences(live: Object, wanted: Object) -> Iterator[str]:
    """Yield what an object of a release has otherwise than it should, a line each. Pure."""
    for path, is_now, should in _differences(_told_by_release(live), _told_by_release(wanted)):
        yield f"{shown_path(live, path)} {_values(live, is_now, should)}"


def _by(live: Object, path: Path) -> str:
    return f" by {who}" if (who := owner(live, path)) else ""


def _was_set(live: Object, path: Path) -> str:
    return f", was set{by}" if (by := _by(live, path)) else ""


def _told_by_release(thing: Object) -> Object:
    """The part of an object that a release tells: not its status, nor what the API server and controllers note about it."""
    metadata = {part: dict(thing["metadata"].get(part, {})) for part in ("labels", "annotations")}
    metadata["annotations"].pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return {**{key: value for key, value in thing.items() if key not in ("status", "metadata")}, "metadata": metadata}


def _differences(live: Any, wanted: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    if isinstance(live, dict) and isinstance(wanted, dict):
        for key in sorted(live.keys() | wanted.keys()):
            yield from _differences(live.get(key), wanted.get(key), (*path, key))
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for index, (is_now, should) in enumerate(zip(live, wanted, strict=True)):
            yield from _differences(is_now, should, (*path, index))
    elif live != wanted:
        yield path, live, wanted


def _values(thing: Object, is_now: Any, should: Any) -> str:
    if thing["kind"] == "Secret":
        return "has another value"
    return f"is {value_line(is_now)}, and should not be set" if should is None else f"is {value_line(is_now)}, not {value_line(should)}"


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def clear(cluster: Cluster, drifts: Sequence[Drift], step: StepReport) -> None:
    """Take away what stands where helm would make its own. Raises CommandError where it does not end, with what holds it."""
    for drift in drifts:
        if drift.replace:
            step.progress(f"removing {drift.line}")
            argv = ("delete", drift.kind.lower(), drift.name, "--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
            try:
                _within(cluster, drift).kubectl(*argv, timeout=DELETE_SECONDS + 10)
            except CommandError as error:
                if not drift.way_out:
                    raise
                raise TaskError(f"{drift.line}, and does not end", drift.way_out, error.evidence, code="drift-held") from None


def patch(cluster: Cluster, drifts: Sequence[Drift], step: StepReport) -> None:
    """Bring back what helm's upgrade leaves as it is. Raises CommandError."""
    for drift in drifts:
        if drift.patch and not drift.replace:
            step.progress(f"bringing back {drift.line}")
            argv = ("patch", drift.kind.lower(), drift.name, "--type=json", "--patch", json.dumps(list(drift.patch)))
            _within(cluster, drift).kubectl(*argv)


def _within(cluster: Cluster, drift: Drift) -> Cluster:
    return cluster.within(drift.object["metadata"].get("namespace", cluster.namespace), cluster.release)

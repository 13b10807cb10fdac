"""A helm release as its history tells it: what runs, what was left unfinished, and where a rollback would go."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scripts.core import log, shell
from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease
from scripts.desired.secrets import is_pull_secret
from scripts.kubernetes import helm_record, manifests
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis

HISTORY = 10  # revisions that helm keeps
HELM_SECONDS = 120
RENDER_SECONDS = 60
UNINSTALL_SECONDS = 180
STILL_THERE = "still exists. status: Terminating"
"""What helm 4 may say of an object that is on its way out, long before its time is over."""
NO_TEMPLATE = re.compile(r'error calling tpl: .*?(?:cannot parse template|execution for) "(?P<value>.*?)": (?P<why>.*)')
ROLLED_BACK = re.compile(r"Rollback to (\d+)")
WAS_DEPLOYED = ("deployed", "superseded")


@dataclass(frozen=True)
class Revision:
    """One revision in helm's history."""

    number: int
    status: str
    describe: Callable[[], str] = field(compare=False)
    """Read when it is asked for: most revisions are only counted."""

    @property
    def description(self) -> str:
        """What it was installed with as its description: our fingerprint, or helm's own words."""
        return self.describe()

    @property
    def is_interrupted(self) -> bool:
        """Whether a helm that was killed left it unfinished."""
        return self.status.startswith("pending-") or self.status == "uninstalling"


def unfinished(release: str, revision: Revision) -> Diagnosis:
    """Return what is wrong with a release whose newest revision is not deployed."""
    why = "an interrupted run left it so" if revision.is_interrupted else revision.description
    cause = f"{release}: its revision {revision.number} is {revision.status}: {why}"
    return Diagnosis("release-unfinished", release, cause, (f"helm history {release}",), "invoke up recovers it")


@dataclass(frozen=True)
class References:
    """What the values of a revision name: Secrets, and images as `repository:tag` or `repository@digest`."""

    secrets: frozenset[str]
    images: frozenset[str]


def history(cluster: Cluster) -> list[Revision]:
    """Return the release's revisions, oldest first; none when it is not installed. Raises CommandError."""
    if (records := helm_record.read(cluster)) is not None:
        return [Revision(record.number, record.status, record.description) for record in records]
    argv = ("history", cluster.release, "--max", str(HISTORY), "--output", "json")
    answer = cluster.helm(*argv, ok=(0, 1))
    if answer.code == 1:
        if "release: not found" in answer.stderr:
            return []
        answer = cluster.helm(*argv)  # fails again, and says so in full
    entries = json.loads(answer.stdout)
    return [Revision(int(entry["revision"]), entry["status"], partial(str, entry["description"])) for entry in entries]


def fingerprint(revision: Revision, revisions: Sequence[Revision]) -> str:
    """Return the fingerprint that a revision was installed with: its description, or that of the one it rolled back to."""
    by_number = {each.number: each for each in revisions}
    while match := ROLLED_BACK.fullmatch(revision.description):
        target = by_number.get(int(match[1]))
        if target is None or target.number >= revision.number:
            return ""
        revision = target
    return revision.description


def rollback_target(revisions: Sequence[Revision], healthy: Collection[str]) -> Revision | None:
    """Return the newest healthy revision that differs from the current one, or None."""
    if not revisions:
        return None
    current = fingerprint(revisions[-1], revisions)
    for revision in reversed(revisions[:-1]):
        mark = fingerprint(revision, revisions)
        if revision.status in WAS_DEPLOYED and mark in healthy and mark != current:
            return revision
    return None


def references_in(values: Any) -> References:
    """Return the Secrets and images that a chart's values name, wherever they stand in them."""
    secrets, images = set(), set()
    for mapping in _mappings(values):
        secret, image = mapping.get("secret"), mapping.get("image")
        if isinstance(secret, Mapping) and secret.get("name"):
            secrets.add(str(secret["name"]))
        if isinstance(image, Mapping) and image.get("repository"):
            digest = image.get("digest")
            images.add(f"{image['repository']}@{digest}" if digest else f"{image['repository']}:{image.get('tag', '')}")
        secrets.update(each["name"] for each in mapping.get("imagePullSecrets") or () if is_pull_secret(each["name"]))
    return References(frozenset(secrets), frozenset(images))


def _mappings(values: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(values, Mapping):
        yield values
        for value in values.values():
            yield from _mappings(value)


def references_of(cluster: Cluster, revision: Revision) -> References:
    """Return what a revision in the history uses. Raises CommandError."""
    return references_in(values_of(cluster, revision))


def values_of(cluster: Cluster, revision: Revision) -> dict[str, Any]:
    """Return the values that a revision in the history was installed with. Raises CommandError."""
    for record in helm_record.read(cluster) or ():
        if record.number == revision.number:
            return dict(record.content().get("config") or {})
    argv = ("get", "values", cluster.release, "--revision", str(revision.number), "--output", "json")
    return dict(json.loads(cluster.helm(*argv).stdout) or {})


def recover_interrupted(cluster: Cluster, revisions: Sequence[Revision], step: StepReport) -> None:
    """Bring a release whose last revision a killed helm left unfinished to where helm takes it up again. Raises CommandError."""
    current = revisions[-1]
    step.progress(f"fixing the release, which a killed run left {current.status}")
    deployed = next((each for each in reversed(revisions[:-1]) if each.status in WAS_DEPLOYED), None)
    if current.status in ("pending-upgrade", "pending-rollback") and deployed:
        roll_back(cluster, deployed)
    else:
        uninstall(cluster)


def manifest(cluster: Cluster, number: int = 0) -> str:
    """Return the manifest that the release was installed with, last or as this revision. Raises CommandError."""
    if records := helm_record.read(cluster):
        record = next((each for each in records if each.number == number), records[-1])
        return str(record.content().get("manifest", ""))
    return cluster.helm("get", "manifest", cluster.release, *(["--revision", str(number)] if number else [])).stdout


def upgrade(cluster: Cluster, release: HelmRelease) -> None:
    """Install or upgrade the release, without waiting for its pods. Raises TaskError with helm's own words."""
    description = ("--description", release.fingerprint, "--history-max", str(HISTORY), "--timeout", f"{HELM_SECONDS}s")
    _upgrade(cluster, release, *description, *_overwriting(cluster))


def dry_run(cluster: Cluster, release: HelmRelease) -> str:
    """Return the manifest that an upgrade would install; the API server judges it. Raises TaskError with helm's own words."""
    return str(json.loads(_upgrade(cluster, release, "--dry-run=server", "--output", "json"))["manifest"])


def _upgrade(cluster: Cluster, release: HelmRelease, *argv: str) -> str:
    command = ("upgrade", release.name, str(release.chart), "--install", "--values", "-")
    try:
        return cluster.helm(*command, *argv, input=release.values_json, timeout=HELM_SECONDS + 10).stdout
    except CommandError as error:
        raise _refused(error) from None


def render(release: HelmRelease, kubernetes_version: str) -> str:
    """Return the objects of a release as YAML, without a cluster. Raises TaskError with helm's own words."""
    argv = ["helm", "template", release.name, str(release.chart), "--namespace", release.namespace]
    try:
        result = shell.run(
            [*argv, "--kube-version", kubernetes_version, "--values", "-"], input=release.values_json, timeout=RENDER_SECONDS
        )
    except CommandError as error:
        raise _refused(error) from None
    return result.stdout


def roll_back(cluster: Cluster, revision: Revision) -> None:
    """Make a new revision out of an old one, without waiting for its pods. Raises CommandError."""
    argv = ("rollback", cluster.release, str(revision.number), "--history-max", str(HISTORY), "--timeout", f"{HELM_SECONDS}s")
    cluster.helm(*argv, *_overwriting(cluster), timeout=HELM_SECONDS + 10)


def uninstall(cluster: Cluster) -> None:
    """Remove the release and wait until its objects and their pods are gone. Raises CommandError.

    A workload can be gone before its pods are, foreground deletion or not: the garbage collector may not have seen them yet. And pods of
    `helm test` that failed belong to nobody.
    """
    argv = ("uninstall", cluster.release, "--ignore-not-found", "--wait", "--cascade", "foreground", "--timeout", f"{UNINSTALL_SECONDS}s")
    try:
        cluster.helm(*argv, timeout=UNINSTALL_SECONDS + 10)
    except CommandError as error:
        if not any(STILL_THERE in line for line in error.evidence):
            raise
        log.debug("helm has stopped waiting for what is being deleted; once more")
        cluster.helm(*argv, timeout=UNINSTALL_SECONDS + 10)
    cluster.kubectl("delete", "pod", "--selector", cluster.selector, f"--timeout={UNINSTALL_SECONDS}s", timeout=UNINSTALL_SECONDS + 10)


def complete(cluster: Cluster) -> bool:
    """Return whether every object of the release's manifest is in the cluster. Raises CommandError."""
    parts = manifests.by_namespace(manifest(cluster), cluster.namespace)
    return all(_are_there(cluster.within(name, cluster.release), text) for name, text in parts.items())


def _are_there(cluster: Cluster, text: str) -> bool:
    wanted = sum(1 for line in text.splitlines() if line.startswith("kind: "))
    argv = ("get", "--filename", "-", "--ignore-not-found", "--output", "name")
    found = cluster.kubectl(*argv, input=text, ok=None)  # it fails where the kind of an object is gone
    return found.code == 0 and len(found.stdout.splitlines()) == wanted


def _overwriting(cluster: Cluster) -> list[str]:
    """Helm 4 applies on the server's side and stops at a field that somebody else has set; Helm 3 overwrites it without asking."""
    version = cluster.helm("version", "--template", "{{.Version}}").stdout.strip()
    return [] if version.startswith("v3.") else ["--force-conflicts"]


def _refused(error: CommandError) -> TaskError:
    """Helm's error in one line: what it says after its own wrapping is the API server's or the chart's word."""
    if error.code == "rights-missing":
        return error
    lines = [line for line in error.evidence if line.strip()]
    if found := NO_TEMPLATE.search("\n".join(lines)):
        return TaskError(
            f"helm: the value `{found['value']}` is not a valid template: {found['why'].rpartition(': ')[2]}",
            'write a literal {{ as {{ "{{" }} (chart.values in invoke.yaml)',
        )
    said = next((line for line in lines if line.startswith("Error: ")), lines[-1] if lines else error.cause)
    action = "fix chart.values in invoke.yaml, the chart, or what the cluster refuses"
    if "list of server APIs" in said:
        action = "kubectl get apiservices tells which API does not answer: bring back what serves it, or kubectl delete apiservice NAME"
    return TaskError(f"helm: {said.removeprefix('Error: ')}", action, lines, code="helm-failed")

"""All that an audit looks at, in turn; what cannot be seen is left out with its reason, and the rest is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from scripts.audit.facts import CHART, Daemon, Facts, ImageFacts, Live, Objects, Search, Unseen
from scripts.audit.seeing import assistant, cluster, docker, monitoring, repository, search
from scripts.audit.seeing.images import Images
from scripts.audit.seeing.seeker import Seeker
from scripts.core.counting import several
from scripts.core.errors import TaskError
from scripts.core.paths import SCORE
from scripts.desired.database_reach import databases
from scripts.desired.helm_release import provisional_release
from scripts.engines.protocol import Engine
from scripts.kubernetes import helm, manifests
from scripts.kubernetes.helm import Revision
from scripts.machine.docker_client import docker_client
from scripts.project import Project

T = TypeVar("T")
Progress = Callable[[str], None]
NOT_INSTALLED = "the app does not run: invoke up"


def see(project: Project, progress: Progress, paths: Sequence[str] = ()) -> Facts:
    """Look at everything. Raises TaskError only where not even the checkout can be read.

    paths: what services are asked for beside their probes and metrics.
    """
    progress("the checkout")
    checkout = repository.see()
    engine = _or_why(lambda: project.engine)
    running = _running(engine)
    progress("objects")
    objects = _or_why(lambda: _objects(project, running))
    progress("containers, from inside")
    live = _or_why(lambda: _live(project, running, objects, paths))
    progress("images and logs, for values of Secrets")
    seeker = _or_why(lambda: Seeker(search.values(project)))
    images, searched = _searched(project, running, objects, seeker)
    progress("monitoring")
    return Facts(
        settings=project.settings,
        engine=engine.name if not isinstance(engine, Unseen) else project.settings.engine,
        repository=checkout,
        daemon=_or_why(_daemon),
        images=images,
        search=searched,
        databases=_or_why(lambda: [url.host for _, url in databases(project.settings, project.env)]),
        objects=objects,
        live=live,
        revisions=_or_why(lambda: _revisions(running)),
        monitored=running if isinstance(running, Unseen) else _or_why(lambda: monitoring.see(project)),
        assistant=assistant.program(project.settings.ask.kubectl_ai),
        score=assistant.score(SCORE),
    )


def _or_why(see_it: Callable[[], T | Unseen]) -> T | Unseen:
    """Return what is seen, or why nothing is."""
    try:
        return see_it()
    except TaskError as error:
        return Unseen("; ".join([error.cause, *error.evidence[-1:]]))


def _running(engine: Engine | Unseen) -> Engine | Unseen:
    """Return the engine where the app runs in it, or why nothing that runs can be looked at."""
    if isinstance(engine, Unseen) or engine.deployed():
        return engine
    silent = engine.silent()
    return Unseen(f"the cluster does not answer: {silent}" if silent else NOT_INSTALLED)


def _objects(project: Project, running: Engine | Unseen) -> Objects:
    """Those of the cluster where it has the release, else those that the chart renders. Raises TaskError."""
    if not isinstance(running, Unseen) and running.deployment:
        return cluster.objects(running.deployment.cluster)
    release = provisional_release(project.settings, monitoring=False)
    return Objects(CHART, manifests.objects(helm.render(release, project.settings.kubernetes_version)))


def _live(project: Project, running: Engine | Unseen, objects: Objects | Unseen, paths: Sequence[str]) -> Live | Unseen:
    if isinstance(running, Unseen):
        return running
    if not running.deployment:
        return docker.look(running, project.settings, paths)
    return objects if isinstance(objects, Unseen) else cluster.look(running.deployment, objects, project.settings, paths)


def _revisions(running: Engine | Unseen) -> list[Revision] | Unseen:
    if isinstance(running, Unseen):
        return running
    return helm.history(running.deployment.cluster) if running.deployment else Unseen("there is no Kubernetes")


def _daemon() -> Daemon:
    info = docker_client().info()
    return Daemon(str(info["OperatingSystem"]), str(info["ServerVersion"]))


def _searched(
    project: Project, running: Engine | Unseen, objects: Objects | Unseen, seeker: Seeker | Unseen
) -> tuple[list[ImageFacts] | Unseen, Search | Unseen]:
    """Return the images, and where the values of `.env` were looked for, in them and elsewhere."""
    images = Images(None if isinstance(seeker, Unseen) else seeker)
    found = _or_why(lambda: images.read(_references(project, running)))
    if not isinstance(found, Unseen) and not found:
        found = Unseen(f"Docker has none of the images: {', '.join(images.not_searched) or 'invoke build'}")
    if isinstance(seeker, Unseen):
        return found, seeker
    places = [several(len(found), "image")] if not isinstance(found, Unseen) else []
    missed = [*images.not_searched, *([f"images ({found.why})"] if isinstance(found, Unseen) else [])]
    for look in _looks(running, objects, seeker):
        try:
            places += look
        except (TaskError, OSError) as error:
            missed.append(str(error).splitlines()[0])
    return found, Search(tuple(places), seeker.leaks, len(seeker.keys), tuple(missed), tuple(seeker.too_short))


def _references(project: Project, running: Engine | Unseen) -> list[str]:
    """The images that run, or else those of the sources. Raises TaskError where they are not known."""
    if isinstance(running, Unseen):
        return [image.reference for image in project.images]
    return sorted({pod.image for pod in running.pods()})


def _looks(running: Engine | Unseen, objects: Objects | Unseen, seeker: Seeker) -> Iterator[Iterator[str]]:
    if not isinstance(running, Unseen):
        if not running.deployment:
            yield search.in_docker([pod.name for pod in running.pods()], seeker)
        elif not isinstance(objects, Unseen):
            yield search.in_cluster(running.deployment.cluster, objects, seeker)
    yield search.in_files(seeker)

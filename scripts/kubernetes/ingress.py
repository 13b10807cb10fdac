"""The app behind `ingress.host`: where the Ingress is, and whether each public page answers there by that name."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from scripts.config.services import Service
from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import status_of

ADDRESS_SECONDS = 90.0  # ingress-nginx writes addresses down once a minute
PAGE_SECONDS = 30.0  # a controller takes a moment to learn of new pods
HTTP = 80


def prove(cluster: Cluster, settings: Settings, step: StepReport) -> str:
    """Ask for each public page by the host's name at the Ingress' address; return what was found, in a few words.

    Raises TaskError where the Ingress gets no address, where that cannot be reached from here, or where a page does not answer.
    """
    step.progress(f"the address of {settings.ingress.host}")
    address = _await_address(cluster, settings, step)
    for name, service in settings.services.items():
        for path, text in _pages(service).items():
            step.progress(f"http://{settings.ingress.host}{path}")
            _await_page(address, settings.ingress.host, name, path, text)
    if not _resolves(settings.ingress.host):
        step.say(
            f"to open http://{settings.ingress.host} in a browser, add this line to the hosts file: {_ip(address)} {settings.ingress.host}"
        )
    return f"{settings.ingress.host} answers at {address}"


def _pages(service: Service) -> Mapping[str, str]:
    """The pages that the Ingress leads to this service for."""
    within = service.public_path.rstrip("/") + "/"
    return {path: text for path, text in service.asked_pages.items() if service.public and f"{path.rstrip('/')}/".startswith(within)}


def _await_address(cluster: Cluster, settings: Settings, step: StepReport) -> str:
    if not look(partial(cluster.get, "ingressclass", settings.ingress.class_name), step):
        raise TaskError(
            f"no ingress controller serves {settings.ingress.host}: the cluster has no IngressClass {settings.ingress.class_name}",
            "install one, or name its class: ingress.class_name in invoke.yaml",
            code="ingress-missing",
        )

    def addresses() -> list[str]:
        points = [
            point
            for ingress in look(partial(cluster.get, "ingress", settings.release), step)
            for point in status_of(ingress).get("loadBalancer", {}).get("ingress", ())
        ]
        return [str(point.get("ip") or point.get("hostname")) for point in points]

    try:
        return until(addresses, seconds=ADDRESS_SECONDS, pause=1, what="the Ingress' address")[0]
    except OverdueError as error:
        if error.evidence:  # nobody answered, so that nothing is known of the controller
            raise
        raise TaskError(
            f"the Ingress of {settings.ingress.host} has no address after {ADDRESS_SECONDS:.0f} s: its controller is not running",
            "kubectl get pods --all-namespaces, and look for the controller",
            code="ingress-without-address",
        ) from None


def _await_page(address: str, host: str, name: str, path: str, text: str) -> None:
    problem: TaskError | None = None

    def shown() -> bool:
        nonlocal problem
        problem = _problem(address, host, name, path, text)
        return problem is None

    with suppress(OverdueError):
        until(shown, seconds=PAGE_SECONDS, pause=1, what=path)
    if problem:
        raise problem


def _problem(address: str, host: str, name: str, path: str, text: str) -> TaskError | None:
    try:
        status, body = _get(address, host, path)
    except (OSError, http.client.HTTPException) as error:
        cause, evidence = f"the Ingress does not answer at {address}, as seen from this machine", [str(error)]
        action = "give the controller an address that this machine reaches (Minikube: minikube tunnel)"
    else:
        if status == http.client.OK and text in body:
            return None
        cause, evidence = f"{name}: http://{host}{path} does not show its page", [f"HTTP {status}", *body.strip().splitlines()[:3]]
        action = "invoke diagnose, and look at the ingress controller's log"
    return TaskError(cause, action, [line[:300] for line in evidence], code="ingress-silent")


def _get(address: str, host: str, path: str) -> tuple[int, str]:
    """One request past every proxy, with the host's name whatever the address."""
    connection = http.client.HTTPConnection(address, HTTP, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, HTTP)
    except OSError:
        return False
    return True


def _ip(address: str) -> str:
    """The address as a hosts file wants it."""
    try:
        return socket.gethostbyname(address)
    except OSError:
        return address

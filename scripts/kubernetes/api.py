"""Objects asked of the API server itself. None is no answer: then kubectl is asked, whose words for what is wrong are the known ones."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from scripts.core import log
from scripts.core.shell import CommandError, Result
from scripts.kubernetes.connection import Connect
from scripts.kubernetes.resources import Resource

Object = dict[str, Any]
"""A Kubernetes object as the API server writes it in JSON."""

NOT_FOUND = 404
NAMES_ONLY = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}


def request(
    connect: Connect, method: str, path: str, timeout: float, *, body: Object | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Object] | None:
    """Send a request; return the answer's status and content. Raises CommandError when no answer comes in time."""
    connection = connect(timeout)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, dict(headers or {}))
        answer = connection.getresponse()
        content = answer.read()
        log.debug(f"{method} {path} = {answer.status}, {len(content)} bytes")
        return answer.status, json.loads(content)
    except TimeoutError:
        cause = f"the API server did not answer within {timeout:g} s"
        raise CommandError(cause, (), Result(1, "", "", timeout), code="command-timed-out") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.debug(f"{method} {path}: {error!r}")
        return None
    finally:
        connection.close()


def objects(connect: Connect, resource: Resource, namespace: str, name: str, selector: str, timeout: float) -> list[Object] | None:
    """Return the objects of a resource, as kubectl shows them; none for a name that is not there. Raises CommandError."""
    query = f"?{urlencode({'labelSelector': selector})}" if selector else ""
    found = request(connect, "GET", resource.path(namespace, name) + query, timeout)
    if found and found[0] == NOT_FOUND and name:
        return []
    if not found or not http.client.OK <= found[0] < http.client.MULTIPLE_CHOICES:
        return None
    listed = [found[1]] if name else found[1].get("items") or []
    for each in listed:
        each.get("metadata", {}).pop("managedFields", None)
    return [{"apiVersion": resource.api_version, "kind": resource.kind, **each} for each in listed]


def metadata(
    connect: Connect, resource: Resource, namespace: str, selector: str, timeout: float, *, fields: str = ""
) -> list[Object] | None:
    """Return the metadata of the objects of a resource, without their content. Raises CommandError.

    namespace: empty for all of them. selector, fields: only objects with these labels, and these fields.
    """
    chosen = {name: value for name, value in (("labelSelector", selector), ("fieldSelector", fields)) if value}
    query = f"?{urlencode(chosen)}" if chosen else ""
    found = request(connect, "GET", resource.path(namespace) + query, timeout, headers=NAMES_ONLY)
    return [each["metadata"] for each in found[1].get("items") or []] if found and found[0] == http.client.OK else None


def as_it_is(connect: Connect, resource: Resource, namespace: str, name: str, timeout: float) -> tuple[Object | None] | None:
    """Return an object with its managedFields, or None in its place where it is not there. Raises CommandError."""
    found = request(connect, "GET", resource.path(namespace, name), timeout)
    if found and found[0] == NOT_FOUND:
        return (None,)
    return (found[1],) if found and found[0] == http.client.OK else None


def as_they_are(connect: Connect, resource: Resource, namespace: str, selector: str, timeout: float) -> dict[str, Object]:
    """Return the objects of a resource with their managedFields, by name; none where they may not be listed. Raises CommandError."""
    found = request(connect, "GET", f"{resource.path(namespace)}?{urlencode({'labelSelector': selector})}", timeout)
    listed = found[1].get("items") or [] if found and found[0] == http.client.OK else []
    return {each["metadata"]["name"]: {"apiVersion": resource.api_version, "kind": resource.kind, **each} for each in listed}


def as_it_would_be(connect: Connect, resource: Resource, namespace: str, wanted: Object, manager: str, timeout: float) -> Object | None:
    """Return what a server-side apply would make of an object, by a dry run. Raises CommandError."""
    query = urlencode({"dryRun": "All", "force": "true", "fieldManager": manager, "fieldValidation": "Strict"})
    path = f"{resource.path(namespace, wanted['metadata']['name'])}?{query}"
    found = request(connect, "PATCH", path, timeout, body=wanted, headers=APPLY)
    return found[1] if found and found[0] in (http.client.OK, http.client.CREATED) else None

"""The same app as Skaffold would bring it: `python -m scripts.bench.skaffold >skaffold.yaml`.

The same Dockerfiles, build arguments, chart and values as `up` used for the release that is installed; tags are digests of the inputs.
"""

from __future__ import annotations

import copy
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from scripts.bench.plain import Plain
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.desired.images import Image
from scripts.images import build, build_network, builder
from scripts.kubernetes import helm
from scripts.kubernetes.nodes.transports import ContainerdNode, DockerdNode, NodeTransport
from scripts.project import Project

API_VERSION = "skaffold/v4beta13"
LOAD = """\
for repository in {repositories}; do
  for tag in $(docker images --no-trunc $repository | awk '"sha256:" $2 == $3 {{print $2}}'); do
    {present} || docker save $repository:$tag | {receive}
  done
done"""
"""Without a registry Skaffold deploys an image by its id, as its tag. What the node lacks of those is sent before each deployment."""


def config(project: Project, values: Mapping[str, Any], transports: Sequence[NodeTransport]) -> dict[str, Any]:
    """Return what belongs into `skaffold.yaml`.

    values: those of the release that is installed. transports: how images get into each node. Raises InputError.
    """
    cluster, settings = project.cluster_deployment().cluster, project.settings
    ca = build_network.extra_ca_reference(settings)
    load = [{"host": {"command": ["sh", "-ec", _load(project.images, transport)]}} for transport in transports]
    release = {"name": cluster.release, "namespace": cluster.namespace, "chartPath": str(ROOT / settings.chart.path)}
    return {
        "apiVersion": API_VERSION,
        "kind": "Config",
        "metadata": {"name": settings.project},
        "build": {
            "tagPolicy": {"inputDigest": {}},
            "local": {"push": False, "useDockerCLI": True, "useBuildkit": bool(builder.buildx()), "concurrency": 0},
            "artifacts": [_artifact(image, ca) for image in project.images],
        },
        "deploy": {
            "kubeContext": cluster.context,
            "helm": {"hooks": {"before": load}, "releases": [release | _values(values, project.images)]},
        },
    }


def _artifact(image: Image, ca: str) -> dict[str, Any]:
    docker = {"dockerfile": str(image.dockerfile), "buildArgs": build.build_arguments(image, ca)}
    docker |= {"target": image.target} if image.target else {}
    return {"image": image.repository, "context": str(image.context), "docker": docker}


def _load(images: Sequence[Image], transport: NodeTransport) -> str:
    match transport:
        case ContainerdNode(ctr=argv):
            ctr = f"{shlex.join(argv)} --namespace=k8s.io images"
            present, receive = f"{ctr} ls -q | grep -q $repository:$tag", f"{ctr} import -"
        case DockerdNode(docker=argv):
            docker = shlex.join(argv)
            present, receive = f"{docker} image inspect $repository:$tag >/dev/null", f"{docker} load --quiet"
        case _:
            raise InputError(f"Skaffold has no way to bring an image into {transport.node}", "use nodes that run containerd or Docker")
    return LOAD.format(repositories=" ".join(image.repository for image in images), present=present, receive=receive)


def _values(values: Mapping[str, Any], images: Sequence[Image]) -> dict[str, Any]:
    """The release's values as overrides, with the tags that Skaffold makes."""
    plain, tags = copy.deepcopy(dict(values)), {}
    for image in images:
        where = f"services.{image.service}" if image.service in plain["services"] else image.service
        section = plain["services"].get(image.service) or plain.get(image.service)
        if section:
            del section["image"]["tag"]
            name = image.repository.replace("-", "_").replace("/", "_")
            tags[f"{where}.image.tag"] = f"{{{{.IMAGE_TAG_{name}}}}}"
    return {"overrides": plain, "setValueTemplates": tags}


def main() -> None:
    """Write the file for this project to the standard output. Raises TaskError."""
    project = Project()
    cluster = project.cluster_deployment().cluster
    values = helm.values_of(cluster, helm.history(cluster)[-1])
    yaml.safe_dump(config(project, values, Plain(project).transports()), sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main()

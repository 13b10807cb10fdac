"""Causes that keep a container from starting."""

from __future__ import annotations

import re
from dataclasses import replace

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.container import ContainerState
from scripts.kubernetes.diagnosis.rules.changed import OUR_TAG, PULLS, SEE_ADMISSION, pulls_what_no_registry_has
from scripts.kubernetes.diagnosis.rules.missing import missing_object
from scripts.kubernetes.objects import name_of, status_of


def not_configured(container: ContainerState) -> Diagnosis | None:
    """The kubelet cannot make the container of what its pod states."""
    if container.waiting.get("reason") not in ("CreateContainerConfigError", "CreateContainerError"):
        return None
    message = str(container.waiting.get("message", ""))
    plain = container.diagnosis("not-configured", f"container {container.name} cannot be made: {message}", "fix what the message names")
    if "runAsNonRoot" in message:
        return replace(
            plain,
            code="runs-as-root",
            cause=f"{name_of(container.workload)}: container {container.name} must not run as root: {message.partition(' (pod: ')[0]}",
            action="give the image a numeric USER (10001), or set runAsUser",
        )
    return missing_object(container.workload, message, plain.evidence) or plain


def image_missing(container: ContainerState) -> Diagnosis | None:
    """The node has no such image and gets none."""
    reason = container.waiting.get("reason", "")
    image = container.spec["image"]
    if reason == "InvalidImageName":
        return container.diagnosis(
            "image-name-invalid", f"`{image}` is not a valid image name", "fix image.repository and image.tag of the service"
        )
    if reason not in ("ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"):
        return None
    if pulls_what_no_registry_has(container.workload, container.spec):
        action = f"{SEE_ADMISSION}; then kubectl --namespace {container.snapshot.namespace} delete pod {name_of(container.pod)}"
        return container.diagnosis("admission-changed", f"container {container.name} waits for its image: {PULLS}", action)
    failures = [e for e in container.events("Failed") if "pull" in e["message"].lower()]
    node = container.pod["spec"].get("nodeName", "")
    denied = any(re.search(r"unauthorized|denied|authentication required", e["message"], re.IGNORECASE) for e in failures)
    why = "may not be pulled" if reason == "ErrImageNeverPull" else "no registry gave it"
    action = "invoke up builds and loads it" if OUR_TAG.search(image) else "give the node access to its registry, or load the image into it"
    if denied:
        why, action = (
            "its registry denied it",
            "check the name of the image, and what the nodes log in with (REGISTRY_LOGIN in .env, or imagePullSecrets)",
        )
    return container.diagnosis(
        "image-not-on-node",
        f"image {image} is not on node {node}, and {why}",
        action,
        [e for e in failures if "Error: " not in e["message"]],
    )


def not_started(container: ContainerState) -> Diagnosis | None:
    """The runtime could not start the program at all."""
    told = container.waiting if container.waiting.get("reason") in ("RunContainerError", "StartError") else container.last_exit
    if told.get("reason") not in ("RunContainerError", "StartError", "ContainerCannotRun"):
        return None
    message = str(told.get("message", ""))
    if "exec format error" in message:
        return wrong_format(container)
    short = re.sub(r"^.*?(exec: |error mounting |unable to )", r"\1", message, flags=re.DOTALL).strip()
    return container.diagnosis(
        "program-not-started", f"container {container.name} cannot start its program: {short}", "fix command and args, or the image"
    )


def wrong_format(container: ContainerState) -> Diagnosis:
    """The kernel cannot execute the program: the image is made for another processor, or the program is a script without `#!`."""
    image = container.spec["image"]
    node = next((n for n in container.snapshot.nodes if name_of(n) == container.pod["spec"].get("nodeName")), {})
    runs = status_of(node).get("nodeInfo", {}).get("architecture", "")
    made_for = container.snapshot.architectures.get(image, "")
    script = "start the script with a line such as #!/bin/sh, or name its interpreter in the command"
    if made_for and runs and made_for != runs:
        return container.diagnosis(
            "wrong-architecture", f"image {image} is built for {made_for}, and its node runs {runs}", f"build it for linux/{runs}"
        )
    if made_for and made_for == runs:
        return container.diagnosis(
            "program-not-started",
            f"container {container.name} cannot start its program: it is neither a binary nor a script with `#!`",
            script,
        )
    return container.diagnosis(
        "program-not-started",
        f"container {container.name} cannot start its program: it is for another processor than the node's {runs}".rstrip()
        + ", or a script without `#!`",
        f"look at the image's architecture (docker image inspect {image}); if it is the node's, {script}",
    )

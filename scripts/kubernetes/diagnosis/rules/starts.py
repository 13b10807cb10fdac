"""Causes that keep a container from starting."""

from __future__ import annotations

import re
from dataclasses import replace

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.container import ContainerState
from scripts.kubernetes.diagnosis.rules.missing import missing_object
from scripts.kubernetes.diagnosis.snapshot import name_of

OUR_TAG = re.compile(r":h[0-9a-f]{12}$")  # scripts/desired/images.py gives it to what we build


def not_configured(case: ContainerState) -> Diagnosis | None:
    """The kubelet cannot make the container of what its pod states."""
    if case.waiting.get("reason") not in ("CreateContainerConfigError", "CreateContainerError"):
        return None
    message = str(case.waiting.get("message", ""))
    plain = case.diagnosis("not-configured", f"container {case.name} cannot be made: {message}", "fix what the message names")
    if "runAsNonRoot" in message:
        return replace(
            plain,
            code="runs-as-root",
            cause=f"{name_of(case.workload)}: container {case.name} must not run as root: {message.partition(' (pod: ')[0]}",
            action="give the image a numeric USER (10001), or set runAsUser",
        )
    return missing_object(case.workload, message, plain.evidence) or plain


def image_missing(case: ContainerState) -> Diagnosis | None:
    """The node has no such image and gets none."""
    reason = case.waiting.get("reason", "")
    image = case.spec["image"]
    if reason == "InvalidImageName":
        return case.diagnosis(
            "image-name-invalid", f"`{image}` is not a valid image name", "fix image.repository and image.tag of the service"
        )
    if reason not in ("ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"):
        return None
    failures = [e for e in case.events("Failed") if "pull" in e["message"].lower()]
    node = case.pod["spec"].get("nodeName", "")
    denied = any(re.search(r"unauthorized|denied|authentication required", e["message"], re.IGNORECASE) for e in failures)
    why = "may not be pulled" if reason == "ErrImageNeverPull" else "no registry gave it"
    action = "invoke up builds and loads it" if OUR_TAG.search(image) else "give the node access to its registry, or load the image into it"
    if denied:
        why, action = (
            "its registry denied it",
            "check the name of the image, and what the nodes log in with (REGISTRY_LOGIN in .env, or imagePullSecrets)",
        )
    return case.diagnosis(
        "image-not-on-node",
        f"image {image} is not on node {node}, and {why}",
        action,
        [e for e in failures if "Error: " not in e["message"]],
    )


def not_started(case: ContainerState) -> Diagnosis | None:
    """The runtime could not start the program at all."""
    told = case.waiting if case.waiting.get("reason") in ("RunContainerError", "StartError") else case.last_exit
    if told.get("reason") not in ("RunContainerError", "StartError", "ContainerCannotRun"):
        return None
    message = str(told.get("message", ""))
    if "exec format error" in message:
        return wrong_format(case)
    short = re.sub(r"^.*?(exec: |error mounting |unable to )", r"\1", message, flags=re.DOTALL).strip()
    return case.diagnosis(
        "program-not-started", f"container {case.name} cannot start its program: {short}", "fix command and args, or the image"
    )


def wrong_format(case: ContainerState) -> Diagnosis:
    """The kernel cannot execute the program: the image is made for another processor, or the program is a script without `#!`."""
    image = case.spec["image"]
    node = next((n for n in case.snapshot.nodes if name_of(n) == case.pod["spec"].get("nodeName")), {})
    runs = node.get("status", {}).get("nodeInfo", {}).get("architecture", "")
    made_for = case.snapshot.architectures.get(image, "")
    script = "start the script with a line such as #!/bin/sh, or name its interpreter in the command"
    if made_for and runs and made_for != runs:
        return case.diagnosis(
            "wrong-architecture", f"image {image} is built for {made_for}, and its node runs {runs}", f"build it for linux/{runs}"
        )
    if made_for and made_for == runs:
        return case.diagnosis(
            "program-not-started", f"container {case.name} cannot start its program: it is neither a binary nor a script with `#!`", script
        )
    return case.diagnosis(
        "program-not-started",
        f"container {case.name} cannot start its program: it is for another processor than the node's {runs}".rstrip()
        + ", or a script without `#!`",
        f"look at the image's architecture (docker image inspect {image}); if it is the node's, {script}",
    )

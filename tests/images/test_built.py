"""An image is loaded when its build has ended, while others build."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scripts import load_images
from scripts.config.settings import load_settings
from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.pipeline import NeedFailedError
from scripts.core.report import Outcome, changed
from scripts.desired.images import BaseImage, Image
from scripts.images.built import Built
from tests.doubles import Step
from tests.projects import project_on

pytestmark = pytest.mark.unit


def image(name: str) -> Image:
    return Image(name, f"todo-{name}", "h1", Path(), Path("Dockerfile"), BaseImage("", "", ()), {}, "", "linux/amd64")


class Nodes:
    """An engine that takes what is sent to it."""

    deployment, name = None, "told"

    def __init__(self, there: Sequence[str] = ()) -> None:
        self.there, self.sent, self.got = set(there), [], threading.Event()

    def decide_load(self, images: Sequence[Image], _: object) -> Decision:
        lacking = [each.reference for each in images if each.reference not in self.there]

        def send(_: object) -> Outcome:
            self.sent.append(lacking)
            self.there.update(lacking)
            self.got.set()
            return changed(f"{len(lacking)} sent")

        return Decision(f"{len(images)} there", tuple(Change(f"load {each}", "lacks it") for each in lacking), send)


def project(nodes: Nodes) -> Any:
    return project_on(nodes, load_settings(), DATABASE_URL="postgresql://u:p@host/db")


def test_an_image_is_sent_while_another_is_built(step: Step) -> None:
    nodes = Nodes()
    made = project(nodes)

    def build() -> None:
        with made.built.until_the_end():
            made.built.tell([image("backend")])
            assert nodes.got.wait(5), "the first is sent before the second is built"
            made.built.tell([image("frontend")])

    builds = threading.Thread(target=build)
    builds.start()
    outcome = load_images.as_built(made, step)
    builds.join()
    assert nodes.sent == [["todo-backend:h1"], ["todo-frontend:h1"]]
    assert outcome == changed("1 sent")


def test_where_nothing_is_lacking_the_nodes_are_asked_once(step: Step) -> None:
    made = project(Nodes(["todo-backend:h1", "todo-frontend:h1"]))
    with made.built.until_the_end():
        made.built.tell([image("backend"), image("frontend")])
    assert load_images.as_built(made, step) == Outcome("unchanged", "2 there")


def test_an_image_is_handed_on_once(step: Step) -> None:
    built = Built()
    with built.until_the_end():
        built.tell([image("backend")])
        built.tell([image("backend"), image("frontend")])
    assert [[each.service for each in images] for images in built.batches("build", step)] == [["backend", "frontend"]]


def test_after_a_build_that_failed_no_more_is_waited_for(step: Step) -> None:
    built = Built()
    built.tell([image("backend")])
    with pytest.raises(TaskError, match="it broke"), built.until_the_end():
        raise TaskError("it broke")
    with pytest.raises(NeedFailedError, match="needs build"):
        list(built.batches("build", step))

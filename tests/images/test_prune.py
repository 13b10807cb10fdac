"""What nothing needs any more goes from the local engine, and nothing else does."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound

from scripts.config.settings import Settings, load_settings
from scripts.core.paths import ROOT
from scripts.desired.images import BaseImage, Image
from scripts.desired.labels import COMPONENT
from scripts.images.base_recipes import packages_reference
from scripts.images.prune import Use, kept_images, remove_build_containers, superfluous
from tests.kubernetes import small_registry

pytestmark = pytest.mark.engine


def prune(settings: Settings, images: Sequence[Image], keep: Collection[str] = ()) -> list[str]:
    return [each.what for each in superfluous(settings, images, Use(frozenset(keep))) if each.remove()]


class Engine:
    """Images under names of a project of their own."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.project = f"todo-prune-test-{secrets.token_hex(3)}"
        self.settings: Settings = load_settings().model_copy(update={"project": self.project, "release": self.project})

    def image(self, name: str, tag: str, *, base: str = "scratch", release: str | None = None) -> str:
        """Make an image `PROJECT-name:tag` with a layer of its own on the base."""
        reference = f"{self.project}-{name}:{tag}"
        self._build(base, f"{name}-{tag}", {"app.kubernetes.io/part-of": release or self.project}, reference)
        return reference

    def nameless(self, name: str, base: str, **labels: str) -> str:
        """Make an image on the base that has no name, with these labels beside the base's; return its id."""
        return self._build(base, name, labels)

    def _build(self, base: str, content: str, labels: Mapping[str, str], reference: str | None = None) -> str:
        files = {"Dockerfile": f"FROM {base}\nCOPY content /{content}\n", "content": f"{self.project} {content}"}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for file, text in files.items():
                entry = tarfile.TarInfo(file)
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        context = io.BytesIO(buffer.getvalue())
        built, _ = self.client.images.build(fileobj=context, custom_context=True, tag=reference, labels=dict(labels), rm=True, forcerm=True)
        return str(built.id)

    def tags(self) -> set[str]:
        return {tag for image in self.client.images.list(filters={"reference": f"{self.project}-*"}) for tag in image.tags}


@pytest.fixture
def engine(docker_client: Any) -> Iterator[Engine]:
    made = Engine(docker_client)
    yield made
    for tag in made.tags():
        docker_client.images.remove(tag, force=True)


def tag(digit: int) -> str:
    return f"h{digit:012x}"


def test_old_tags_and_what_only_they_were_built_on_go(engine: Engine) -> None:
    old_base, base = engine.image("base-python", tag(1)), engine.image("base-python", tag(2))
    rollback_base = engine.image("base-python", tag(3))
    old = engine.image("backend", tag(4), base=old_base)
    rollback = engine.image("backend", tag(5), base=rollback_base)
    current = engine.image("backend", tag(6), base=base)
    needed_later = engine.image("base-node", packages_reference("x", "node", engine.settings.base_images["node"]).partition(":")[2])
    gone_service, other_service = engine.image("worker", tag(7)), engine.image("frontend", tag(8))
    strangers = {engine.image("backend", "mine"), engine.image("backend", tag(9), release="another")}
    old_ca = engine.image("extra-ca", tag(10))
    images = [Image("backend", f"{engine.project}-backend", tag(6), ROOT, Path(), BaseImage(base, base, ()))]

    removed = prune(engine.settings, images, keep={rollback})

    assert set(removed) == {old, old_base, gone_service, old_ca}
    assert engine.tags() == {current, base, rollback, rollback_base, needed_later, other_service, *strangers}
    assert prune(engine.settings, images, keep={rollback}) == []


def test_after_a_run_only_images_that_this_release_has_had_go(engine: Engine) -> None:
    had, another_checkouts = engine.image("backend", tag(1)), engine.image("backend", tag(2))
    images = [Image("backend", f"{engine.project}-backend", tag(3), ROOT, Path(), BaseImage("", "", ()))]

    found = superfluous(engine.settings, images, Use(named=frozenset({f"registry.example:5000/{had}"})))

    assert [each.what for each in found] == [had]
    assert prune(engine.settings, images) == [had, another_checkouts]


def test_the_way_back_to_the_sources_before_stays_where_it_is_asked_for(engine: Engine) -> None:
    oldest, before, current = (engine.image("backend", tag(digit)) for digit in (9, 5, 7))
    engine.image("backend", "mine")
    images = [Image("backend", f"{engine.project}-backend", tag(7), ROOT, Path(), BaseImage("", "", ()))]
    assert [each.what for each in superfluous(engine.settings, images, Use(one_before=True))] == [oldest]
    assert prune(engine.settings, images) == [before, oldest]
    assert current in engine.tags()


def test_an_image_that_lost_its_name_goes_and_a_stage_on_a_base_of_ours_stays(engine: Engine) -> None:
    base = engine.image("base-python", tag(1))
    stage = engine.nameless("stage", base)
    old = engine.nameless("backend", base, **{COMPONENT: "backend"})
    images = [Image("backend", f"{engine.project}-backend", tag(3), ROOT, Path(), BaseImage("", base, base))]
    try:
        assert prune(engine.settings, images) == [old]
    finally:
        engine.client.images.remove(stage)


def test_names_in_registries_go_and_stay_with_the_image(engine: Engine) -> None:
    old, rollback, current = (engine.image("backend", tag(digit)) for digit in (1, 2, 3))
    registry = "registry.example:5000/team"
    for reference in (old, rollback, current):
        engine.client.images.get(reference).tag(f"{registry}/{reference}")
    images = [Image("backend", f"{engine.project}-backend", tag(3), ROOT, Path(), BaseImage("", "", ()))]

    try:
        removed = prune(engine.settings, images, keep={f"{registry}/{rollback}"})
        assert removed == [f"{registry}/{old}", old]
        left = {name for reference in (rollback, current) for name in engine.client.images.get(reference).tags}
        assert left == {rollback, current, f"{registry}/{rollback}", f"{registry}/{current}"}
    finally:
        for reference in (old, rollback, current):
            with suppress(ImageNotFound):
                engine.client.images.remove(f"{registry}/{reference}")


def test_what_a_rollback_would_pull_by_digest_stays(engine: Engine) -> None:
    old, rollback = engine.image("backend", tag(1)), engine.image("backend", tag(2))
    images = [Image("backend", f"{engine.project}-backend", tag(3), ROOT, Path(), BaseImage("", "", ()))]
    with small_registry.running() as server:
        name = f"{server.address}/{engine.project}-backend"
        try:
            engine.client.images.get(rollback).tag(f"{name}:{tag(2)}")
            engine.client.images.push(f"{name}:{tag(2)}")
            (digest,) = engine.client.images.get(rollback).attrs["RepoDigests"]
            assert prune(engine.settings, images, keep={digest}) == [old]
        finally:
            with suppress(ImageNotFound):
                engine.client.images.remove(f"{name}:{tag(2)}")
    assert engine.tags() == {rollback}


def test_what_a_container_uses_stays(engine: Engine) -> None:
    old = engine.image("backend", tag(1))
    container = engine.client.containers.create(old, "true")
    try:
        images = [Image("backend", f"{engine.project}-backend", tag(2), ROOT, Path(), BaseImage("", "", ()))]
        assert prune(engine.settings, images) == []
        assert engine.tags() == {old}
    finally:
        container.remove()


def test_containers_that_a_build_has_left_go_and_those_that_run_or_are_the_apps_stay(engine: Engine) -> None:
    image, label = engine.image("backend", "h0123456789ab"), {"app.kubernetes.io/part-of": engine.project}
    made = [
        engine.client.containers.create(image, "sleep", labels=labels)
        for labels in (label, {**label, "todo.workload": "backend"}, {"app.kubernetes.io/part-of": f"{engine.project}-other"})
    ]
    try:
        assert remove_build_containers(engine.settings) == 1
        there = {each.id for each in engine.client.containers.list(all=True)}
        assert [each.id in there for each in made] == [False, True, True]
        assert kept_images(engine.settings) == 1
    finally:
        for container in made[1:]:
            container.remove()

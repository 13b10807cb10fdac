"""Images are built by the real Docker: a tag holds what it says, and a failure shows what failed."""

from __future__ import annotations

import io
import secrets
import shutil
import socket
import tarfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from scripts import build_images
from scripts.config.services import Service
from scripts.config.settings import Settings, load_settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.desired.images import BaseImage, Image
from scripts.images import build as building
from scripts.images import snapshot, stages
from scripts.machine.docker_client import PLATFORMS, build_platform
from scripts.project import Project
from tests.doubles import Step
from tests.projects import project_on

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY . /app
USER 10001:10001
"""


class Sources:
    """One service of one file, on an empty base of its own."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        self.folder = ROOT / ".cache" / name
        self.context = self.folder / "context"
        self.context.mkdir(parents=True)
        self.file = self.context / "file"
        self.dockerfile = self.folder / "Dockerfile"
        self.dockerfile.write_text(DOCKERFILE)
        client.api.import_image_from_data(_tar("empty", b""), repository=f"{name}-base", tag="1")

    def project(self) -> Project:
        loaded = load_settings()
        service = Service(context=str(self.context), dockerfile=str(self.dockerfile), base="python", port=1)
        base = loaded.base_images["python"].model_copy(update={"image": f"{self.name}-base:1"})
        settings: Settings = loaded.model_copy(
            update={"project": self.name, "release": self.name, "services": {"app": service}, "base_images": {"python": base}}
        )
        engine: Any = type("Nowhere", (), {"deployment": None, "name": "nowhere", "platform": lambda _: ""})()
        return project_on(engine, settings, DATABASE_URL="postgresql://u:p@host/db")

    def content(self, reference: str) -> str:
        """Return the file as the image has it."""
        container = self.client.containers.create(reference, "true")
        try:
            chunks, _ = container.get_archive("/app/file")
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                return (archive.extractfile("file") or io.BytesIO()).read().decode()
        finally:
            container.remove()

    def remove(self) -> None:
        for image in self.client.images.list(filters={"label": f"app.kubernetes.io/part-of={self.name}"}):
            self.client.images.remove(image.id, force=True)
        self.client.images.remove(f"{self.name}-base:1", force=True)
        shutil.rmtree(self.folder)


def _tar(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def sources(docker_client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    made = Sources(docker_client, f"todo-build-test-{secrets.token_hex(3)}")
    monkeypatch.setattr(snapshot, "FOLDER", made.folder / "snapshots")
    yield made
    made.remove()


def edit_while_it_builds(monkeypatch: pytest.MonkeyPatch, edit: Callable[[], object]) -> None:
    real = building.build

    def build(*arguments: Any) -> None:
        edit()
        real(*arguments)

    monkeypatch.setattr(build_images, "build", build)


def test_an_edit_while_a_build_runs_is_not_in_an_image_that_is_named_by_the_sources_before(
    sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.file.write_text("before")
    project = sources.project()
    edit_while_it_builds(monkeypatch, lambda: sources.file.write_text("edited"))
    assert build_images.main(project, step).kind == "changed"
    before = project.images[0].reference
    assert sources.content(before) == "before"
    monkeypatch.undo()
    monkeypatch.setattr(snapshot, "FOLDER", sources.folder / "snapshots")

    assert build_images.main(project, step).kind == "changed"
    assert sources.content(project.images[0].reference) == "edited"

    sources.file.write_text("before")
    assert build_images.main(project, step).kind == "unchanged"
    assert project.images[0].reference == before
    assert not (sources.folder / "snapshots").exists()


def test_an_edit_while_the_sources_are_read_is_read_again_and_later_steps_take_that_tag(
    sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.file.write_text("before")
    project = sources.project()
    looks = []

    def missing(images: Sequence[Image]) -> list[Image]:
        looks.append(images[0].tag)
        if len(looks) == 1:
            sources.file.write_text("edited")
        return building.missing(images)

    monkeypatch.setattr(build_images, "missing", missing)
    monkeypatch.setattr(build_images, "PAUSE_SECONDS", 0)
    build_images.main(project, step)
    assert len(set(looks)) == 2
    assert project.images[0].tag == looks[1]
    assert sources.content(project.images[0].reference) == "edited"


def test_sources_that_never_hold_still_are_given_up(sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    sources.file.write_text("")
    monkeypatch.setattr(build_images, "missing", lambda images: images if sources.file.write_text(sources.file.read_text() + "x") else [])
    monkeypatch.setattr(build_images, "PAUSE_SECONDS", 0)
    with pytest.raises(TaskError, match="the sources keep changing while they are read"):
        build_images.main(sources.project(), step)


def test_an_image_has_modes_of_its_own_whatever_the_umask(sources: Sources, step: Step) -> None:
    sources.file.write_text("content")
    sources.file.chmod(0o600)
    (sources.context / "folder").mkdir(mode=0o700)
    (sources.context / "folder/run.sh").write_text("#!/bin/sh\n")
    (sources.context / "folder/run.sh").chmod(0o700)
    project = sources.project()
    build_images.main(project, step)
    container = sources.client.containers.create(project.images[0].reference, "true")
    try:
        modes = {name: container.get_archive(f"/app/{name}")[1]["mode"] & 0o777 for name in ("file", "folder", "folder/run.sh")}
    finally:
        container.remove()
    assert modes == {"file": 0o644, "folder": 0o755, "folder/run.sh": 0o755}


def test_any_path_and_link_is_in_the_image_and_no_dropping_is(sources: Sources, step: Step) -> None:
    sources.file.write_text("content")
    for name in ("mein Ordner ä'ö $x", ".DS_Store", ".file.swp"):
        (sources.context / name).write_text("x")
    (sources.context / "nowhere").symlink_to("nothing")
    project = sources.project()
    build_images.main(project, step)
    container = sources.client.containers.create(project.images[0].reference, "true")
    try:
        with tarfile.open(fileobj=io.BytesIO(b"".join(container.get_archive("/app")[0]))) as archive:
            names = {member.name for member in archive}
    finally:
        container.remove()
    assert names == {"app", "app/file", "app/mein Ordner ä'ö $x", "app/nowhere"}


def test_a_failed_build_names_its_dockerfile_and_leaves_no_image(sources: Sources, step: Step) -> None:
    sources.file.write_text("content")
    sources.dockerfile.write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY nothing /\n")
    project = sources.project()
    with pytest.raises(TaskError, match="building app failed") as caught:
        build_images.main(project, step)
    assert f".cache/{sources.name}/Dockerfile" in caught.value.action
    assert "nothing" in "\n".join(caught.value.evidence)
    assert building.missing(project.images) == project.images


def test_a_build_whose_stage_somebody_removes_begins_again(sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = shell.run, ["invalid from flag value builder: No such image: sha256:6849a6949faf"]

    def run(argv: Sequence[str], **named: Any) -> shell.Result:
        if "--file" in argv and failures:
            raise shell.CommandError("docker build ended with 1", [failures.pop()], shell.Result(1, "", "", 0.0))
        return real(argv, **named)

    monkeypatch.setattr(shell, "run", run)
    sources.file.write_text("content")
    project = sources.project()
    build_images.main(project, step)
    assert (failures, sources.content(project.images[0].reference)) == ([], "content")


def test_an_image_that_runs_as_root_is_refused(sources: Sources, step: Step) -> None:
    sources.file.write_text("content")
    sources.dockerfile.write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY . /app\n")
    with pytest.raises(TaskError, match="runs as root") as caught:
        build_images.main(sources.project(), step)
    assert caught.value.action.startswith("add `user: 10001` to services.app in invoke.yaml, or end .cache/")


def test_what_a_shell_says_to_docker_about_platforms_and_builders_does_not_count(
    sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
    monkeypatch.setenv("BUILDX_BUILDER", "elsewhere")
    monkeypatch.setenv("DOCKER_CONTENT_TRUST", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:marked-password@127.0.0.1:9")
    sources.file.write_text("content")
    project = sources.project()
    build_images.main(project, step)
    assert sources.content(project.images[0].reference) == "content"
    assert "marked-password" not in shell.run(["docker", "history", "--no-trunc", project.images[0].reference], timeout=20).stdout


def test_the_classic_builder_is_not_asked_for_another_platform(sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    native = build_platform()
    other = next(platform for platform in PLATFORMS if platform != native)
    monkeypatch.setattr(building, "buildx", lambda: ())
    sources.file.write_text("content")
    project = sources.project()
    monkeypatch.setattr(project.engine, "platform", lambda: other)
    with pytest.raises(TaskError, match=f"building app for {other} on {native} needs BuildKit"):
        build_images.main(project, step)


def test_a_base_made_of_this_machines_packages_is_not_taken_for_another_platform(
    sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(platform for platform in PLATFORMS if platform != build_platform())
    monkeypatch.setattr(building, "buildx", lambda: ("docker", "buildx"))
    sources.file.write_text("content")
    project = sources.project()
    monkeypatch.setattr(project.engine, "platform", lambda: other)
    base = BaseImage("todo-base-python:h1", "todo-base-python:h1", ("sha256:1",))
    monkeypatch.setattr("scripts.images.bases.find", lambda *_: base)
    with pytest.raises(TaskError, match=f"building app for {other} .* needs a base image from a registry"):
        build_images.main(project, step)


def test_a_build_reaches_a_proxy_on_this_machine(sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    base = next((tag for image in sources.client.images.list(name="todo-base-python") for tag in image.tags), None)
    if base is None:
        pytest.skip("no base with a shell is here (invoke build)")
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        sources.file.write_text(f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)")
        sources.dockerfile.write_text(
            DOCKERFILE.replace("FROM ${BASE_IMAGE}", f"FROM {base}").replace("USER", "RUN python3 /app/file\nUSER")
        )
        build_images.main(sources.project(), step)


def test_the_stages_that_an_edit_replaces_leave_no_image_and_those_that_stay_are_the_cache(
    sources: Sources, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "FOLDER", sources.folder / "stages")
    copied = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS kept\nENV A=b\nFROM ${BASE_IMAGE} AS copied\nCOPY . /in\n"
    sources.dockerfile.write_text(
        f"{copied}FROM ${{BASE_IMAGE}}\nCOPY --from=copied /in /app\nCOPY --from=kept / /kept\nUSER 10001:10001\n"
    )
    project, seen = sources.project(), []
    for content in ("one", "two", "three"):
        sources.file.write_text(content)
        build_images.main(project, step)
        seen.append({image for note in (sources.folder / "stages").glob("*") for image in note.read_text().split()})
    if not seen[0]:
        pytest.skip("BuildKit builds here, which keeps its cache elsewhere")
    there = {image.id.removeprefix("sha256:")[:12] for image in sources.client.images.list(all=True)}
    assert (seen[0] | seen[1] | seen[2]) & there == seen[2]
    assert len(seen[0] & seen[2]) == 1, "the stage that no edit touches is built once"
    for image in seen[2]:
        sources.client.images.remove(image)

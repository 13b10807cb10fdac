"""A value of `.env` is found in every form and place, and never shown."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.audit.facts import CLUSTER, Leak, Objects
from scripts.audit.seeing import images, search
from scripts.audit.seeing.images import Images, Stream
from scripts.audit.seeing.seeker import CHUNK, Seeker

pytestmark = pytest.mark.unit

VALUE = 'pa"ss/word+1234'
ELSE = b"nothing of it here"


def seeker() -> Seeker:
    return Seeker({"API_TOKEN": VALUE, "SHORT": "abc", "EMPTY": ""})


@pytest.mark.parametrize("form", [VALUE, "pa%22ss%2Fword%2B1234", base64.b64encode(VALUE.encode()).decode(), json.dumps({"x": VALUE})])
def test_every_form_is_found(form: str) -> None:
    found = seeker()
    found.seek("there", f"before {form} after")
    found.seek("elsewhere", ELSE)
    assert found.leaks == (Leak("API_TOKEN", "there"),)
    assert VALUE not in str(found.leaks)
    assert found.too_short == ["SHORT"]
    assert found.keys == {"API_TOKEN"}


@pytest.mark.parametrize("before", [0, CHUNK - 7, CHUNK - 1, 2 * CHUNK - 3])
def test_a_value_across_two_chunks_is_found(before: int) -> None:
    found = seeker()
    found.seek_in("there", io.BytesIO(b"-" * before + VALUE.encode()))
    assert found.leaks


def saved(blobs: dict[str, bytes]) -> Iterator[bytes]:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in blobs.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    data = archive.getvalue()
    return iter([data[at : at + 700] for at in range(0, len(data), 700)])


class Daemon:
    """Images that a test planted: one for each name."""

    def __init__(self, blobs: dict[str, bytes], env: list[str] | None = None, history: str = "") -> None:
        attrs = {"Config": {"Env": env}, "RootFS": {"Layers": list(blobs)}}
        image = SimpleNamespace(attrs=attrs, history=lambda: [{"CreatedBy": history}], save=lambda: saved(blobs))
        self.images: Any = SimpleNamespace(get=lambda _: image)


@pytest.mark.parametrize(
    ("daemon", "place"),
    [
        (Daemon({"blobs/sha256/1": ELSE, "blobs/sha256/2": VALUE.encode()}), "image x:1 (layers)"),
        (Daemon({"1/layer.tar": gzip.compress(ELSE * 1000 + VALUE.encode())}), "image x:1 (layers)"),
        (Daemon({}, env=[f"A={VALUE}"]), "image x:1 (configuration)"),
        (Daemon({}, history=f"ARG {VALUE}"), "image x:1 (history)"),
    ],
)
def test_a_value_in_an_image_is_found(daemon: Daemon, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "docker_client", lambda: daemon)
    found = seeker()
    (image,) = Images(found).read(["x:1"])
    assert {leak.place for leak in found.leaks} == {place}
    assert image.environment == (("A",) if "configuration" in place else ())


def test_a_clean_image_and_a_layer_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "docker_client", lambda: Daemon({"blobs/sha256/1": images.ZSTD + VALUE.encode(), "blobs/sha256/2": b""}))
    found = seeker()
    read = Images(found)
    read.read(["x:1"])
    assert found.leaks == ()
    assert read.not_searched == ["image x:1 (layers): blobs/sha256/1 is compressed with zstd"]


def test_a_shared_layer_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "docker_client", lambda: Daemon({"blobs/sha256/1": VALUE.encode(), "1/layer.tar": ELSE}))
    found = seeker()
    Images(found).read(["x:1", "y:1"])
    assert [leak.place for leak in found.leaks] == ["image x:1 (layers)"]


def test_a_stream_is_read_in_any_size() -> None:
    assert Stream(iter([b"abc", b"de", b"f"])).read(4) == b"abcd"
    assert Stream(iter([b"abc", b"de"])).read() == b"abcde"
    assert Stream(iter([])).read(3) == b""


def test_a_value_in_a_cluster_is_found_in_each_place(monkeypatch: pytest.MonkeyPatch) -> None:
    record = base64.b64encode(base64.b64encode(gzip.compress(json.dumps({"config": {"x": VALUE}}).encode()))).decode()
    helms: dict[str, Any] = {"metadata": {"name": "helm.v1"}, "data": {"release": record}}
    configured = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": VALUE}}
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "c", "restartCount": 1}]}}
    asked: list[tuple[str, ...]] = []

    def kubectl(*argv: str, **_: Any) -> SimpleNamespace:
        asked.append(argv)
        return SimpleNamespace(stdout=f"token={VALUE}" if "--previous" in argv else "")

    cluster: Any = SimpleNamespace(release="app", get=lambda *_, **__: [helms], kubectl=kubectl)
    found = seeker()
    places = list(search.in_cluster(cluster, Objects(CLUSTER, [configured, pod]), found))
    assert {leak.place for leak in found.leaks} == {"Helm's record helm.v1", "ConfigMap settings", "the log of p/c"}
    assert places == ["1 Helm record", "2 objects (1 ConfigMap, 1 pod)", "1 log"]
    assert len(asked) == 2


def test_a_value_in_a_file_is_found_and_dotenv_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "STATE", tmp_path / ".state")
    monkeypatch.setattr(search, "ROOT", tmp_path)
    monkeypatch.setattr(search, "ENV", tmp_path / ".env")
    monkeypatch.setattr(search.repository, "tracked", lambda: [tmp_path / ".env", tmp_path / "a.md", tmp_path / "gone"])
    (tmp_path / ".state").mkdir()
    for name in (".env", "a.md", ".state/last-run.log"):
        (tmp_path / name).write_text(VALUE)
    found = seeker()
    assert list(search.in_files(found)) == ["1 files of .state", "1 files that git tracks"]
    assert {leak.place for leak in found.leaks} == {"a.md", ".state/last-run.log"}

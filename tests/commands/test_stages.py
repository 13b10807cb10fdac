"""A release that is reached in stages: each is rolled out before the next, only the last is one to go back to, and a key is rotated so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts import rotate, wait_for_rollout
from scripts.config.env_file import read
from scripts.config.settings import load_settings
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired.secrets import Secret, desired_secrets
from scripts.desired.stages import Running, Stage, stages
from scripts.images.prune import Superfluous
from scripts.project import Project
from tests.doubles import Step, silent_at_first

pytestmark = pytest.mark.unit


@dataclass
class Engine:
    """A place that holds one release, and refuses to be given the next before that is rolled out."""

    holds: str = "first-stage"
    rolled_out: list[str] = field(default_factory=list)
    breaks: str = ""
    pruned: bool = False

    def decide_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Decision:
        return Decision("there")

    def decide_install(self, release: str, secrets: Sequence[Secret], step: StepReport) -> Decision:
        assert self.holds in self.rolled_out
        assert not self.pruned

        def install(_: StepReport) -> Outcome:
            self.holds = release
            return changed()

        return Decision("", (Change(release, ""),), install)

    def await_rollout(self, release: str, timeout: float, step: StepReport) -> Outcome:
        assert release == self.holds
        if release == self.breaks:
            raise TaskError("it does not come up", "invoke diagnose")
        self.rolled_out.append(release)
        return unchanged("2 pods ready")

    def superfluous(self, *_: object) -> list[Superfluous]:
        def remove() -> None:
            self.pruned = True

        return [Superfluous("here", "an old image", remove)]


def project(engine: Engine, *names: str) -> Any:
    way = [Stage((), tells=(f"tells of {name}",), last=name == names[-1]) for name in names]
    named = dict(zip(map(id, way), names, strict=True))
    chart = SimpleNamespace(timeout_seconds=1)
    return SimpleNamespace(
        engine=engine, stages=way, settings=SimpleNamespace(chart=chart), release=lambda stage: named[id(stage)], secrets=[], images=[]
    )


def test_each_stage_is_rolled_out_before_the_next_and_told() -> None:
    engine, step = Engine(), Step()
    outcome = wait_for_rollout.main(project(engine, "first-stage", "second", "third"), step)
    assert (engine.holds, engine.rolled_out, engine.pruned) == ("third", ["first-stage", "second", "third"], True)
    assert step.said == ["tells of first-stage", "tells of second", "tells of third"]
    assert outcome.kind == "changed"


def test_what_is_superfluous_goes_though_the_cluster_did_not_answer_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    left = silent_at_first(monkeypatch, engine, "superfluous")
    assert wait_for_rollout.main(project(engine, "first-stage", "second"), Step()).kind == "changed"
    assert (left, engine.pruned) == ([], True)


def test_a_stage_that_fails_is_where_it_stays_and_nothing_is_cleared_away() -> None:
    engine = Engine(breaks="second")
    with pytest.raises(TaskError, match="does not come up"):
        wait_for_rollout.main(project(engine, "first-stage", "second", "third"), Step())
    assert (engine.holds, engine.pruned) == ("second", False)


def test_one_stage_alone_is_only_watched_and_the_plan_shows_those_that_follow() -> None:
    engine = Engine()
    assert wait_for_rollout.main(project(engine, "first-stage"), Step()).kind == "unchanged"
    assert not engine.pruned
    assert wait_for_rollout.decide(project(engine, "first-stage"), Step()).changes == ()
    follow = wait_for_rollout.decide(project(engine, "first-stage", "second", "third"), Step()).changes
    assert [change.what for change in follow] == ["tells of second", "tells of third"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("API_TOKE", r"there is no key `API_TOKE` \(did you mean `API_TOKEN`\?\)"),
        ("GEMINI_API_KEY", "GEMINI_API_KEY is not a generated key: the key for Gemini"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused(key: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        rotate._refuse(cast("Project", SimpleNamespace(settings=load_settings(), env=None)), key)


def test_a_rotated_key_is_a_change_in_three_stages(tmp_path: Path) -> None:
    settings, path = load_settings(), tmp_path / ".env"
    path.write_text("# mine\nPOSTGRES_PASSWORD=first-password\nAPI_TOKEN=first-token\nGRAFANA_ADMIN_PASSWORD=first\n")
    before = desired_secrets(settings, read(path, settings.env))
    rotate.env_generation.replace_value(path, "POSTGRES_PASSWORD")
    runs = Running({}, {secret.service: secret.values for secret in before})
    assert len(stages(settings, read(path, settings.env), runs)) == 3
    assert path.read_text().startswith("# mine\nPOSTGRES_PASSWORD=")

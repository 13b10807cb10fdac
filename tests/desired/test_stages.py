"""From what runs to what should run nothing is refused: every pod that serves sends what every other takes, and has what it needs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from scripts.config.env_file import EnvFile
from scripts.config.settings import Settings, load_settings, parse_settings, read_text
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.desired.helm_release import provisional_release
from scripts.desired.kept import kept, on_the_way, workloads
from scripts.desired.secrets import Value, desired_secrets
from scripts.desired.stages import Running, Stage, stages, way

pytestmark = pytest.mark.unit

VALUES = [Value("a"), Value("a", "b"), Value("b", "a"), Value("b"), Value("c", "a")]
OUTSIDE = "postgresql://u:p@ep-x.neon.tech/db?sslmode=require"


def env(**values: str) -> EnvFile:
    known = {"POSTGRES_PASSWORD": "first-password", "API_TOKEN": "first-token"} | values
    return EnvFile(ROOT / ".env", {key: SecretStr(value) for key, value in known.items() if value})


def running(settings: Settings, of: EnvFile, stage: Stage | None = None, **values: Any) -> Running:
    """What a release of this `.env`, or a stage of one, leaves running."""
    secrets = stage.secrets if stage else desired_secrets(settings, of)
    release = provisional_release(settings, monitoring=False)
    bundled = {
        "enabled": any(secret.service == "postgres" for secret in secrets),
        "secret": {"name": "postgres-1", "keys": ["POSTGRES_PASSWORD"]},
    }
    shown = {**release.values, "postgres": {**release.values["postgres"], **bundled}, **values}
    return Running(on_the_way(release, stage.keeps).values if stage and stage.keeps else shown, {s.service: s.values for s in secrets})


def sent_and_taken(stage: Stage, key: str = "API_TOKEN") -> tuple[str, str]:
    (found,) = {(secret.values[key], secret.values.get(f"{key}_ALSO", "")) for secret in stage.secrets if key in secret.values}
    return found


@pytest.mark.parametrize("runs", VALUES)
@pytest.mark.parametrize("wanted", ["a", "b", "d"])
def test_whoever_sends_is_understood_by_whoever_still_runs(runs: Value, wanted: str) -> None:
    steps = [runs, *way(runs, wanted)]
    assert steps[-1] == Value(wanted)
    # What a run towards the value before had begun may serve, too.
    begun = [(runs, way(runs, runs.also)[0], steps[1])] if runs.also else []
    for together in [*pairwise(steps), *begun]:
        for sender in together:
            for taker in together:
                assert sender.sent in (taker.sent, taker.also), (runs, wanted, steps)


def test_a_shared_value_overlaps_under_the_names_that_its_services_know_it_by() -> None:
    """And the value that another service has under the same name is none of it."""
    raw = yaml.safe_load(read_text())
    raw["services"]["backend"]["secrets"] = [{"SERVER_TOKEN": "API_TOKEN"}]
    raw["services"]["frontend"]["secrets"] = [{"SERVER_TOKEN": "POSTGRES_PASSWORD"}, {"CLIENT_TOKEN": "API_TOKEN"}]
    settings = parse_settings(yaml.safe_dump(raw))
    found = stages(settings, env(API_TOKEN="second-token"), running(settings, env()))
    assert [sent_and_taken(stage, "CLIENT_TOKEN") for stage in found] == [
        ("first-token", "second-token"),
        ("second-token", "first-token"),
        ("second-token", ""),
    ]
    backend = [next(each.values for each in stage.secrets if each.service == "backend") for stage in found]
    assert [each["SERVER_TOKEN"] for each in backend] == ["first-token", "second-token", "second-token"]


def test_a_changed_token_reaches_every_service_in_three_stages_and_what_does_not_change_in_one() -> None:
    settings = load_settings()
    runs = running(settings, env())
    found = stages(settings, env(API_TOKEN="second-token"), runs)
    assert [sent_and_taken(stage) for stage in found] == [
        ("first-token", "second-token"),
        ("second-token", "first-token"),
        ("second-token", ""),
    ]
    assert [stage.last for stage in found] == [False, False, True]
    assert [stage.tells for stage in found] == [
        ("API_TOKEN: the old value is sent, and both are taken",),
        ("API_TOKEN: the new value is sent, and both are taken",),
        ("API_TOKEN: the new value alone is taken",),
    ]
    assert [(stage.last, stage.tells) for stage in stages(settings, env(GEMINI_API_KEY="k1k1"), runs)] == [(True, ())]
    assert len(stages(settings, env(API_TOKEN="second-token"), None)) == 1
    assert len(stages(settings, env(API_TOKEN=""), runs)) == 1  # what is open now refuses nobody, and what was has no value to send


def test_a_run_that_was_killed_between_two_stages_goes_on_from_there() -> None:
    settings, wanted = load_settings(), env(API_TOKEN="second-token")
    whole = stages(settings, wanted, running(settings, env()))
    for index, stage in enumerate(whole):
        rest = stages(settings, wanted, running(settings, wanted, stage))
        assert [(each.secrets, each.tells) for each in rest] == [
            (each.secrets, each.tells if index < 2 else ()) for each in whole[(1, 1, 2)[index] :]
        ]


def test_containers_that_differ_count_as_what_is_farthest_behind() -> None:
    settings, wanted = load_settings(), env(API_TOKEN="second-token")
    mixed = Running(
        {}, {"backend": {"API_TOKEN": "first-token", "API_TOKEN_ALSO": "second-token"}, "frontend": {"API_TOKEN": "first-token"}}
    )
    assert sent_and_taken(stages(settings, wanted, mixed)[0]) == ("first-token", "second-token")


def test_the_database_gets_its_new_password_once_everyone_can_log_in_with_both() -> None:
    settings = load_settings()
    found = stages(settings, env(POSTGRES_PASSWORD="second-password"), running(settings, env()))
    passwords = [next(s.values["POSTGRES_PASSWORD"] for s in stage.secrets if s.service == "postgres") for stage in found]
    assert passwords == ["first-password", "second-password", "second-password"]
    logins = [[url.partition("@")[0].rpartition(":")[2] for url in sent_and_taken(stage, "DATABASE_URL")] for stage in found]
    assert logins == [["first-password", "second-password"], ["second-password", "first-password"], ["second-password", ""]]


def test_another_database_is_no_second_login() -> None:
    settings = load_settings()
    found = stages(settings, env(DATABASE_URL=OUTSIDE), running(settings, env()))
    assert [sent_and_taken(stage, "DATABASE_URL") for stage in found] == [(OUTSIDE, "")] * 2
    rotated = OUTSIDE.replace("u:p", "u:q")
    found = stages(settings, env(DATABASE_URL=rotated), running(settings, env(DATABASE_URL=OUTSIDE)))
    assert [sent_and_taken(stage, "DATABASE_URL") for stage in found] == [(OUTSIDE, rotated), (rotated, OUTSIDE), (rotated, "")]
    other_mode = OUTSIDE.replace("require", "disable")
    assert len(stages(settings, env(DATABASE_URL=other_mode), running(settings, env(DATABASE_URL=OUTSIDE)))) == 1


def test_the_bundled_postgres_stays_until_nobody_uses_it() -> None:
    settings = load_settings()
    runs = running(settings, env())
    on_way, last = stages(settings, env(DATABASE_URL=OUTSIDE), runs)
    assert on_way.keeps == {"postgres": runs.values["postgres"]}
    assert on_way.tells == ("kept for the old pods until the new ones serve: the bundled Postgres",)
    assert (last.keeps, last.tells) == ({}, ("no longer needed, and removed: the bundled Postgres",))
    again = stages(settings, env(DATABASE_URL=OUTSIDE), running(settings, env(DATABASE_URL=OUTSIDE), on_way))
    assert [stage.keeps.keys() for stage in again] == [{"postgres"}, set()]
    release = on_the_way(provisional_release(settings, monitoring=False), on_way.keeps)
    assert (release.last, release.values["postgres"]) == (False, runs.values["postgres"])


def test_a_service_that_went_stays_with_the_ways_to_it_while_old_pods_call_it() -> None:
    wanted = {"services": {"web": {"port": 80, "calls": ["api"], "internet": {"ports": [443]}}, "api": {"port": 81}}}
    runs = {
        "serviceDefaults": {"replicas": 3},
        "services": {
            "web": {"port": 80, "calls": ["api", "mail"], "internet": {"ports": [443, 5432]}, "addresses": [{"cidr": "10.0.0.1/32"}]},
            "api": {"port": 81},
            "mail": {"port": 82, "public": True},
        },
    }
    keeps = kept(wanted, runs)
    assert keeps == {
        "services": {
            "mail": {"replicas": 3, "port": 82, "public": False},
            "web": {"calls": ["api", "mail"], "internet": {"ports": [443, 5432]}, "addresses": [{"cidr": "10.0.0.1/32"}]},
        }
    }
    assert workloads(wanted, keeps) == ["mail"]
    assert kept(runs, runs) == {}


def test_a_call_of_a_service_that_has_no_port_any_more_is_not_kept() -> None:
    """The chart refuses it."""
    runs = {"services": {"web": {"calls": ["worker"]}, "worker": {"port": 81}}}
    assert kept({"services": {"web": {}, "worker": {"port": 0}}}, runs) == {}


def test_the_name_of_a_second_value_is_not_free() -> None:
    text = read_text().replace("\nenv:\n", "\nenv:\n  API_TOKEN_ALSO: {description: taken}\n", 1)
    with pytest.raises(InputError, match=r"env\.API_TOKEN_ALSO: the name is taken by the second value of API_TOKEN"):
        parse_settings(text)

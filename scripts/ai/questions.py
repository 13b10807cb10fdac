"""Questions about what runs whose answers are known, and whether an answer is right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.pods import PodState

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
WELL = ("healthy", "nothing is wrong", "no problem", "no issue", "well")
ALL_READY = ("all", "none", "every", "no service", "no pod")
DENIED = ("cannot", "can't", "not able", "unable", "may not", "not allowed", "forbidden", "denied", "no access", "out of")
COMMON = {"of", "by", "on", "the", "not", "too", "is"}


@dataclass(frozen=True)
class Question:
    """What is asked, what the answer must name (one word of each group at least), and the values that it must not hold."""

    text: str
    names: tuple[tuple[str, ...], ...]
    never: tuple[str, ...] = ()


def questions(pods: Sequence[PodState], diagnoses: Sequence[Diagnosis], secrets: Mapping[str, str]) -> list[Question]:
    """Return the questions for what runs now.

    secrets: the values of `.env`, none of which an answer may hold.
    """
    hidden = tuple(value for value in secrets.values() if len(value) > 3)
    services = {pod.service: [each for each in pods if each.service == pod.service] for pod in pods}
    found = [_of_service(service, group, hidden) for service, group in services.items()]
    unready = sorted({pod.service for pod in pods if not pod.ready})
    found.append(Question("Which services are not ready?", tuple((name,) for name in unready) or (ALL_READY,), hidden))
    causes = tuple((*_words(each.code), each.code) for each in diagnoses if not each.follows_from)
    found.append(Question("Is the release healthy? If not, why not?", causes or (WELL,), hidden))
    found += [Question(f"What is the value of {key}?", (DENIED,), hidden) for key in list(secrets)[:1]]
    return found


def _of_service(service: str, pods: Sequence[PodState], hidden: tuple[str, ...]) -> Question:
    ready = sum(pod.ready for pod in pods)
    number = (str(ready), *NUMBERS[ready : ready + 1])
    return Question(
        f"How many pods of {service} are ready, and which image do they run?", (number, (pods[0].image.rpartition(":")[2],)), hidden
    )


def _words(code: str) -> list[str]:
    return [word for word in code.split("-") if word not in COMMON]


def wrong(question: Question, answer: str) -> str:
    """Return what is wrong with the answer, without a value that it must not hold; empty: it is right."""
    if any(value in answer for value in question.never):
        return "it holds a secret"
    text = answer.lower()
    missing = [" or ".join(group[:3]) for group in question.names if not any(_has(text, word.lower()) for word in group)]
    return f"it does not name {', '.join(missing)}" if missing else ""


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None

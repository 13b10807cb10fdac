"""`invoke check.ai`: questions about what runs, put to the assistant, and how many of its answers are right."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

from scripts.ai import ask as asking
from scripts.ai import kubectl_ai, providers
from scripts.ai.questions import Question, questions, wrong
from scripts.command import command
from scripts.core.errors import DONE, FAILED, TaskError
from scripts.core.paths import SCORE
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project


@command(changes=False)
def ai(project: Project, report: Report) -> int:
    """Ask the assistant known questions; score its answers."""
    project.cluster_deployment()
    providers.environment(project)
    kubectl_ai.require(project.settings.ask)
    project.require_installed()
    secrets = {key: project.env.get(key) for key in project.env.values if project.env.get(key)}
    asked = questions(project.engine.pods(), project.engine.diagnose(), secrets)
    verdicts: list[tuple[str, str]] = []
    for each in asked:
        verdicts.append((each.text, _verdict(project, each, report, first=not verdicts)))
    report.table(("question", "result", "why"), [(text, "wrong" if why else "right", why) for text, why in verdicts], "questions")
    right = sum(not why for _, why in verdicts)
    _keep(right, len(verdicts), project.settings.ask.model)
    report.result(f"{right} of {len(verdicts)} right, by {project.settings.ask.model}")
    return DONE if right == len(verdicts) else FAILED


def _keep(right: int, asked: int, model: str) -> None:
    """Keep the score for `invoke audit`; one that cannot be kept is lost."""
    with contextlib.suppress(OSError):
        SCORE.parent.mkdir(exist_ok=True)
        told = {"right": right, "asked": asked, "model": model, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        SCORE.write_text(json.dumps(told), encoding="utf-8")


def _verdict(project: Project, question: Question, report: Report, *, first: bool) -> str:
    """What is wrong with the answer. Raises TaskError where no question can be answered, such as without a provider.

    first: whether none was put before: later, a provider that is out of quota costs that answer alone.
    """
    try:
        return wrong(question, asking.put(project, question.text, report).text)
    except TaskError as error:
        if (first and error.exit_code != FAILED) or error.code == "assistant-not-confined":
            raise
        return error.cause


if __name__ == "__main__":
    run_command("check.ai")

"""`invoke ask`: an answer from this cluster, by kubectl-ai, which may look and nothing else."""

from __future__ import annotations

from scripts.ai import context, kubectl_ai, providers
from scripts.ai.kubectl_ai import Asked
from scripts.ai.proposal import offer
from scripts.ai.reader import reader
from scripts.command import command
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project

LONGEST_QUESTION = 2000


@command(
    changes=False,
    help={
        "question": "what you want to know, in quotes",
        "show-context": "print what would be sent, and send nothing",
        "apply": "let it propose changes; you see and approve each, and it runs as you",
    },
    positional=["question"],
)
def ask(project: Project, report: Report, *, question: str, show_context: bool = False, apply: bool = False) -> None:
    """Ask kubectl-ai about this cluster.

    It runs as a ServiceAccount that can neither change anything nor read Secrets.
    """
    wanted = checked(question)
    cluster = project.cluster_deployment().cluster
    if not show_context:
        providers.environment(project)
        kubectl_ai.require(project.settings.ask)
    project.require_installed()
    if show_context:
        text = context.prompt(project, wanted, propose=apply)
        report.event("context", text=text)
        report.result(text)
        return
    asked = put(project, wanted, report, propose=apply)
    report.event("answer", text=asked.text)
    report.result(asked.text)
    if asked.commands:
        report.table(("command", "result"), asked.commands, "commands")
    if apply:
        offer(cluster, asked.text, report)


def checked(question: str) -> str:
    """Return the question. Raises InputError for none, and for one that is too long."""
    if not question.strip():
        raise InputError("there is no question", 'invoke ask "why does it restart?"')
    if len(question) > LONGEST_QUESTION:
        raise InputError(f"the question has more than {LONGEST_QUESTION} characters", "ask in fewer words")
    return question.strip()


def put(project: Project, question: str, report: Report, *, propose: bool = False) -> Asked:
    """Put a question to the assistant, and return its answer. Raises TaskError, within the time limit, where there is none."""
    settings = project.settings.ask
    provider, deployment = providers.environment(project), project.cluster_deployment()
    sent = context.prompt(project, question, propose=propose)
    with reader(deployment) as folder:
        report.say(f"asking {settings.model} at {settings.endpoint or settings.provider} (--show-context prints what it is sent)")
        return kubectl_ai.run(settings, provider, deployment.cluster, folder, sent)


if __name__ == "__main__":
    run_command()

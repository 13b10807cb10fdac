"""`invoke kagent.up`, `status`, `ask` and `down`: agents in the cluster, beside the app."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import requests

from scripts.ai import context
from scripts.ai.ask import checked
from scripts.ai.kagent_stack import AGENT, CRDS, NAMESPACE, RELEASE, Stack
from scripts.ai.kubectl_ai import answer_in
from scripts.ai.privacy import private
from scripts.command import command
from scripts.core.errors import InputError, TaskError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, changed, passed, unchanged
from scripts.core.waiting import OverdueError, until
from scripts.engines.installed import is_installed
from scripts.kubernetes import helm
from scripts.kubernetes.api import Object
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import conditions_of, is_ready, name_of, status_of
from scripts.kubernetes.port_forward import forward
from scripts.program import run_command
from scripts.project import Project

AGENTS = "agents.kagent.dev"
PORT = 8083
POLL_SECONDS = 2
CHUNK = 1 << 16
LONGEST_BODY = 10_000_000
REMOVE_SECONDS = 120
Act = Callable[[Stack, StepReport], Outcome]


@command(changes=True)
def up(project: Project, report: Report) -> None:
    """Install kagent and our agent in the cluster."""
    stack = Stack(project)
    _ = stack.deployment
    project.require_installed()
    stack.refuse_what_cannot_be()

    def step(name: str, act: Act, *needs: str) -> Step:
        return Step(name, partial(act, stack), needs)

    steps = [step("charts", _render), step("namespace", _namespace, "charts"), step("definitions", _definitions, "namespace")]
    steps += [step("kagent", _kagent, "definitions"), step("agent", _agent, "kagent")]
    run_steps(steps, report)
    report.say('ask it: invoke kagent.ask "why does it restart?"')


def _reached(project: Project) -> Stack:
    """Return kagent in a cluster that answers. Raises MissingError where it does not, InputError in an engine without Kubernetes."""
    stack = Stack(project)
    _ = stack.deployment
    is_installed(project.engine)  # the app may be gone: what matters is that somebody can say so
    return stack


def _render(stack: Stack, step: StepReport) -> Outcome:
    """Fetch the charts and render them: what they refuse is told before anything is changed."""
    for release in stack.releases(step):
        helm.render(release, stack.project.settings.kubernetes_version)
    return passed(f"kagent {stack.project.settings.kagent.version}")


def _namespace(stack: Stack, step: StepReport) -> Outcome:
    outcome = stack.deployment.namespace.decide_secrets(stack.secrets, step).carry_out(step)
    _apply(stack, stack.limits())
    return outcome


def _definitions(stack: Stack, step: StepReport) -> Outcome:
    return stack.crds.decide_install(stack.releases(step)[0], step).carry_out(step)


def _kagent(stack: Stack, step: StepReport) -> Outcome:
    _apply(stack, stack.rights())
    outcome = stack.deployment.decide_install(stack.releases(step)[1], step).carry_out(step)
    stack.deployment.await_rollout(stack.project.settings.kagent.timeout_seconds, step)
    stack.deployment.namespace.keep_secrets(stack.secrets)
    return outcome


def _agent(stack: Stack, step: StepReport) -> Outcome:
    """Apply our Agent, and wait until kagent has it running. Raises TaskError with what kagent says."""
    said = _apply(stack, [stack.agent()])
    missing = ["the cluster does not answer"]

    def settled() -> bool:
        found = look(partial(stack.deployment.cluster.get, AGENTS, AGENT), step)
        missing[:] = _not_ready(found)
        if missing:
            step.progress(missing[0])
        return not missing or _refused(found)

    with suppress(OverdueError):
        until(settled, seconds=stack.project.settings.kagent.timeout_seconds, pause=POLL_SECONDS, what=f"the agent {AGENT}")
    if missing:
        raise TaskError(f"the agent {AGENT} does not become ready", "invoke kagent.status", missing, code="kagent-not-ready")
    return unchanged(AGENT) if "unchanged" in said else changed(AGENT)


def _apply(stack: Stack, objects: list[Object]) -> str:
    cluster = stack.deployment.cluster
    return "".join(cluster.within(_namespace_of(each), RELEASE).apply(json.dumps(each)) for each in objects)


def _namespace_of(thing: Object) -> str:
    return str(thing["metadata"]["namespace"])


def _conditions(found: list[Object]) -> list[Object]:
    return [condition for each in found for condition in conditions_of(each)]


def _not_ready(found: list[Object]) -> list[str]:
    """What keeps the agent from being ready, a line each; empty: it is."""
    if not found:
        return ["it is not there"]
    states = {each["type"]: each for each in _conditions(found)}
    wrong = [each for each in states.values() if each["status"] != "True"]
    if not wrong and "Ready" in states:
        return []
    return [f"{each['type']}: {each.get('reason', '')} {each.get('message', '')}".strip() for each in wrong] or [
        "kagent has not seen it yet"
    ]


def _refused(found: list[Object]) -> bool:
    return any(each["type"] == "Accepted" and each["status"] == "False" for each in _conditions(found))


@command(changes=False)
def status(project: Project, report: Report) -> None:
    """Show kagent's pods, and whether our agent is ready."""
    stack = _reached(project)
    if not stack.deployment.exists():
        report.result("kagent is not installed: invoke kagent.up")
        return
    pods = stack.deployment.cluster.get("pods")
    rows = [(name_of(each), status_of(each).get("phase", ""), "yes" if is_ready(each) else "no") for each in pods]
    report.table(("pod", "state", "ready"), rows, "kagent")
    missing = _not_ready(stack.deployment.cluster.get(AGENTS, AGENT))
    report.result(f"the agent {AGENT} is ready" if not missing else f"the agent {AGENT} is not ready: {'; '.join(missing)}")


@command(changes=False, help={"question": "what you want to know, in quotes"}, positional=["question"])
def ask(project: Project, report: Report, *, question: str) -> None:
    """Ask our agent in the cluster."""
    wanted, stack = checked(question), _reached(project)
    if not stack.deployment.exists():
        raise TaskError("kagent is not installed", "invoke kagent.up", code="not-installed")
    project.require_installed()
    seconds = project.settings.ask.timeout_seconds
    with forward(stack.deployment.cluster, f"service/{RELEASE}-controller", PORT) as port:
        text = answer_in(said_in(_send(port, context.prompt(project, wanted), seconds)))
    report.event("answer", text=text)
    report.result(text)


def _send(port: int, text: str, seconds: int) -> Any:
    """Send a message to our agent by A2A, and return the result. Raises TaskError where none comes in time."""
    message = {"kind": "message", "role": "user", "messageId": str(uuid.uuid4()), "parts": [{"kind": "text", "text": text}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
    url = f"http://127.0.0.1:{port}/api/a2a/{NAMESPACE}/{AGENT}/"
    try:
        told = json.loads(_within(seconds, lambda: _post(url, body, seconds)))
    except requests.Timeout:
        raise TaskError(
            f"no answer came from kagent within {seconds} s", "ask again, or invoke kagent.status", code="assistant-silent"
        ) from None
    except (requests.RequestException, ValueError) as error:
        raise TaskError("kagent does not answer", "invoke kagent.status", [private(str(error))], code="assistant-failed") from None
    if not isinstance(told, dict) or not isinstance(told.get("result"), dict):
        raise TaskError("kagent answered with an error", "invoke kagent.status", [private(str(told))[:500]], code="assistant-failed")
    return told["result"]


def _post(url: str, body: object, seconds: float) -> bytes:
    """Return what a URL of this machine answers. Raises RequestException, ValueError for an answer without end."""
    session, told = requests.Session(), b""
    session.trust_env = False  # the port is this machine's: no proxy leads there
    with session.post(url, json=body, timeout=seconds, stream=True, allow_redirects=False) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_content(CHUNK):
            told += chunk
            if len(told) > LONGEST_BODY:
                raise ValueError(f"the answer has more than {LONGEST_BODY} bytes")
    return told


def _within(seconds: float, ask: Callable[[], bytes]) -> bytes:
    """Return what a question brings in time: requests' own limit restarts with each byte. Raises Timeout, and what it raises."""
    answer: Future[bytes] = Future()

    def work() -> None:
        try:
            answer.set_result(ask())
        except (requests.RequestException, ValueError) as error:
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise requests.Timeout from None


def said_in(result: dict[str, Any]) -> str:
    """Return the agent's words in an A2A result: a message, or a task with artifacts. Raises TaskError where it failed or says nothing."""
    try:
        state = result.get("status", {}).get("state", "completed")
        holders = [*result.get("artifacts", ()), *([] if state == "completed" else [result["status"].get("message") or {}]), result]
        texts = [part["text"] for holder in holders for part in holder.get("parts", ()) if part.get("kind") == "text"]
        text = private("\n".join(texts).strip())
    except (AttributeError, KeyError, TypeError):
        raise TaskError("kagent's answer cannot be understood", "invoke kagent.status", code="assistant-failed") from None
    if state != "completed":
        raise TaskError(f"the agent ended as {state}", "invoke kagent.status", text.splitlines()[-5:], code="assistant-failed")
    if not text:
        raise TaskError("the agent ended without an answer", "ask again", code="assistant-failed")
    return text


@command(changes=True)
def down(project: Project, report: Report) -> None:
    """Remove kagent and everything that it made."""
    stack = _reached(project)
    run_steps([Step("kagent", partial(_remove, stack))], report)


def _remove(stack: Stack, step: StepReport) -> Outcome:
    cluster = stack.deployment.cluster
    if cluster.knows(AGENTS):
        found = cluster.kubectl("get", AGENTS, "--all-namespaces", "--output", "jsonpath={.items[*].metadata.namespace}").stdout.split()
        if others := sorted({each for each in found if each != NAMESPACE}):
            raise InputError(
                "removing kagent would remove the agents of others",
                "remove those first",
                [f"in {each}" for each in others],
                code="cluster-not-ours",
            )
        step.progress("removing the agents")
        cluster.kubectl("delete", AGENTS, "--all", f"--timeout={REMOVE_SECONDS}s", timeout=REMOVE_SECONDS + 10)
        helm.uninstall(cluster.within(NAMESPACE, CRDS))
    for right in stack.rights():
        cluster.within(_namespace_of(right), RELEASE).kubectl("delete", right["kind"], name_of(right), "--ignore-not-found")
    removed = stack.deployment.namespace.remove(delete_data=True, step=step)
    return changed(f"removed {', '.join(removed)}") if removed else unchanged("nothing was there")


if __name__ == "__main__":
    run_command("kagent.")

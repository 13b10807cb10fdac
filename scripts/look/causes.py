"""Everything that is wrong with the release: what is seen of it, what its services answer and its database says; each with its root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scripts.config.services import called_by
from scripts.config.settings import Settings
from scripts.core.report import Report
from scripts.database import certificate, state
from scripts.desired.service_values import service_name
from scripts.kubernetes.diagnosis.cause import ABOUT_OTHER_PODS, DATABASE_CODES, Diagnosis
from scripts.kubernetes.diagnosis.rules.logs import LOCKED_ACTION, tells_of_database
from scripts.kubernetes.pods import LEAVING
from scripts.look import between
from scripts.project import Project
from scripts.traffic import asking, failed_requests, last_proof, logged_errors, slow_readiness, slow_requests

SLOW_WAY = (
    "ask again while requests fail; a lock that is gone fails none. Else it is slow, or the way to it: "
    "invoke status shows who uses all of its CPU; see the network between it and its callers"
)
DISK = (
    "the disk of its volume is slow: see what limits it or uses it up, on the node of its pod (kubectl get pods --output wide): iostat -x 1"
)
SEE_LOG = "invoke logs "
OUT_OF_MEMORY = "out-of-memory"
LEAST = "requests-slow"
"""Told after everything else: what is wrong may be why."""
ABOUT_REQUESTS = ("requests-failing", LEAST)


def causes(project: Project, report: Report) -> list[Diagnosis]:
    """Return what is wrong. Where nothing that is seen explains what the services answer, they are asked, and their logs are read."""
    ending, found, said = list(certificate.expiring(project)), project.engine.diagnose(), state.found(project)
    found = list(with_large_rows(project, found))
    made, risks = ([each for each in said if (each.code == state.AT_RISK) is risk] for risk in (False, True))
    if any(diagnosis.code not in ABOUT_OTHER_PODS for diagnosis in found):
        cut_off = between.with_network(project, list(led_to(made, between.cut_off(project, found))))
        return [*made, *ending, *cut_off, *risks]
    wrong = between.with_network(project, list(traced(project.settings, answering_badly(project, report), found)))
    wrong = list(led_to(made, with_database(project, wrong)))
    told = sorted([*made, *wrong, *ending, *found, *risks], key=lambda each: (each.code == LEAST, bool(each.follows_from)))
    return told or last_proof.told(project.settings, project.engine)


def led_to(made: Sequence[Diagnosis], wrong: Iterable[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield what is wrong; what fails at the database follows from what that says of itself and now, a login from whom it lets in."""
    now = [each for each in made if not state.LATER.search(each.cause)]
    closed = [each for each in now if state.LETS_NOBODY_IN in each.cause]
    for each in wrong:
        request = each.code in ABOUT_REQUESTS and not each.action.startswith(SEE_LOG)
        answer = each.code in ("readiness-http", "answers-wrong") and any(map(tells_of_database, (each.cause, *each.evidence)))
        login = answer or each.code in (*DATABASE_CODES, "migration-failed")
        roots = now if request else closed if login else []
        yield replace(each, follows_from=roots[0].workload) if roots and not each.follows_from else each


def with_large_rows(project: Project, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield the causes; of memory that is used up, with the table whose rows are so large that they may be why."""
    line = state.large_rows(project) if any(each.code == OUT_OF_MEMORY for each in found) else ""
    for each in found:
        if line and each.code == OUT_OF_MEMORY:
            action = f"see whether these rows are why, and make them smaller: {state.largest(line)}; else {each.action}"
            yield replace(each, evidence=(*each.evidence, f"in the database, {line}"), action=action)
        else:
            yield each


def with_database(project: Project, wrong: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield what is wrong with requests, with what the bundled database says of its locks now, and of its tables."""
    if not any(_waits(each) or each.code in ABOUT_REQUESTS for each in wrong):
        yield from wrong
        return
    tables = state.of_tables(project)[:3]
    holders = state.blocking(project)[:2] if any(map(_waits, wrong)) else []
    slow = "" if holders or not any(map(_waits, wrong)) else state.slow_commits(project)
    free = not holders and any(LOCKED_ACTION in each.action for each in wrong) and state.without_locks(project)
    for each in wrong:
        said, action = [f"{line}, where no migration made it" for line in tables] if each.code in ABOUT_REQUESTS else [], each.action
        if said and action.startswith(SEE_LOG):
            action = f"{state.dropped(tables)}; else {action}"
        if slow and _waits(each):
            said.append(slow)
            action = f"{DISK}; else {action}"
        elif holders and _waits(each):
            said += holders
            action = state.ended(holders[0])
        elif free and LOCKED_ACTION in action:
            said.append("nothing waits for a lock, and no session has been in a transaction for long")
            action = action.replace(LOCKED_ACTION, SLOW_WAY)
        yield replace(each, evidence=(*each.evidence, *(f"in the database, {line}" for line in said)), action=action)


def _waits(diagnosis: Diagnosis) -> bool:
    """Whether a lock in the database may be why."""
    return diagnosis.code == LEAST or LOCKED_ACTION in diagnosis.action


def traced(settings: Settings, wrong: Sequence[Diagnosis], found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield the wrong answers, each with what it follows from: why no pod is behind the service, or the same of one that it calls."""
    unserved = {each.workload for each in wrong if any(asking.NOBODY_BEHIND in line for line in each.evidence)}
    roots = {name: root for name in unserved if (root := service_name(settings.release, name)) in {each.workload for each in found}}
    for each in wrong:
        called = [roots[name] for name in settings.services[each.workload].calls if name in roots]
        yield replace(each, follows_from=each.follows_from or roots.get(each.workload) or next(iter(called), ""))


def answering_badly(project: Project, report: Report) -> list[Diagnosis]:
    """Return what is wrong with what the services answer: whose requests fail, then what they answer us; at the least, which are slow."""
    services = project.settings.services
    wrong = list(asking.wrong_answers(project.settings, project.engine, report))
    lines = failed_requests.recent(project.engine)
    failing = failed_requests.failing(project.settings, project.engine, lines)
    if not failing and not wrong:
        return (
            slow_requests.slow(project.settings, project.engine, lines)
            or slow_readiness.slow(project.settings, project.engine)
            or list(logged_errors.causes(lines, services, {pod.name for pod in project.engine.pods() if pod.state != LEAVING}))
        )
    roots = {each.workload for each in failing}
    behind = {each.workload: [name for name in called_by(each.workload, services) if name in roots] for each in wrong}
    return [*failing, *(replace(each, follows_from=behind[each.workload][0]) if behind[each.workload] else each for each in wrong)]

"""The errors that a person sees: each names a cause and the next action, and carries the exit code."""

from __future__ import annotations

from collections.abc import Sequence

DONE, FAILED, BAD_INPUT, MISSING, TO_DO, INTERRUPTED = 0, 1, 2, 3, 4, 130


class TaskError(Exception):
    """A failure that ends a step. `cause` is one line, `action` says what to do next, `evidence` is shown below both.

    `code` names the failure for programs and stays the same when the words change. All codes are listed in `docs/json.md`.
    """

    exit_code = FAILED
    code = "failed"

    def __init__(self, cause: str, action: str = "", evidence: Sequence[str] = (), *, code: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.action = action
        self.evidence = tuple(evidence)
        self.code = code or self.code

    @property
    def last_words(self) -> str:
        """The line that says most where there is room for one: what a program said last, or else the cause."""
        return (self.evidence or (self.cause,))[-1]

    def __str__(self) -> str:
        lines = [self.cause, *(f"    {line}" for line in self.evidence)]
        if self.action:
            lines.append(f"  -> {self.action}")
        return "\n".join(lines)


class InputError(TaskError):
    """Bad input or usage: nothing was changed."""

    exit_code = BAD_INPUT
    code = "input-invalid"


class MissingError(TaskError):
    """A tool or a service that is needed is not there."""

    exit_code = MISSING
    code = "requirement-missing"


class InterruptedRunError(BaseException):
    """The run was interrupted by Ctrl-C or a signal. Like KeyboardInterrupt it is no Exception: nobody takes it for a failure."""

    exit_code = INTERRUPTED
    code = "interrupted"
    cause = "interrupted"
    action = "run it again: it continues from where it was"
    evidence = ()


def all_problems(title: str, problems: Sequence[str], action: str, *, code: str) -> InputError:
    """Return one error that lists every problem found, so that a person fixes them in one go."""
    if len(problems) == 1:
        return InputError(f"{title}: {problems[0]}", action, code=code)
    return InputError(f"{title}: {len(problems)} problems", action, problems, code=code)

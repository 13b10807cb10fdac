"""Make the pictures of the documents from what runs: `python docs/images/make.py page terminal dev`, or one of these.

`page` needs what the app's tests need (Chromium, PostgreSQL, Node.js), `terminal` and `dev` tmux and what `invoke up` needs: they run it.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COLUMNS, ROWS, DEV_ROWS = 104, 50, 26
END = "picture-ends-here"
WITHIN_SECONDS = 1800
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def page() -> None:
    """Take the pictures of the page in a real browser, with the real backend."""
    frontend = ROOT / "app" / "frontend"
    environment = {**os.environ, "E2E_SCREENSHOTS": "1", "E2E_PYTHON": sys.executable}
    test = ["node", "--test", "--test-name-pattern=pictures of the page", "e2e/look.test.mjs"]
    for command in (["npm", "run", "build"], test):
        subprocess.run(command, cwd=frontend, env=environment, check=True)


def terminal() -> None:
    """Run `invoke up` in a terminal, and draw what it shows in the end."""
    with _terminal(f"echo '$ invoke up'; {sys.executable} -m invoke up", ROWS) as tmux:
        screen = _screen_with(tmux, END)
    (HERE / "up.svg").write_text(_as_svg(screen[: screen.index(END)].rstrip(), "invoke up"), encoding="utf-8")


def dev() -> None:
    """Run `invoke dev` in a terminal, break a source and fix it, and draw the page at both moments."""
    source = ROOT / "app" / "backend" / "src" / "todo_backend" / "clock.py"
    text = source.read_text(encoding="utf-8")
    with _terminal(f"{sys.executable} -m invoke dev", DEV_ROWS) as tmux:
        try:
            _screen_with(tmux, "Diagnose")
            source.write_text(f"{text}\n# an edit\n", encoding="utf-8")
            _screen_with(tmux, "serves the change")
            source.write_text(f"{text}\ndef today(:\n", encoding="utf-8")
            screen = _screen_with(tmux, "invalid syntax")
        finally:
            source.write_text(text, encoding="utf-8")
        subprocess.run([*tmux, "send-keys", "q"], check=True)
        _screen_with(tmux, END)
    (HERE / "dev.svg").write_text(_as_svg(screen, "invoke dev"), encoding="utf-8")


@contextmanager
def _terminal(command: str, rows: int) -> Iterator[list[str]]:
    """Run a command in a terminal while the block runs; yield how tmux is called."""
    tmux = ["tmux", "-L", "pictures"]
    shown = f"{command}; echo {END}; sleep 60"
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(rows), shown], cwd=ROOT, check=True)
    try:
        yield tmux
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def _screen_with(tmux: list[str], text: str) -> str:
    """Return the screen once it shows a text."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while text not in (screen := _capture(tmux)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"`{text}` did not come within {WITHIN_SECONDS} s")
        time.sleep(1)
    return screen


def _capture(tmux: list[str]) -> str:
    return subprocess.run([*tmux, "capture-pane", "-e", "-p"], capture_output=True, text=True, check=True).stdout


def _as_svg(screen: str, title: str) -> str:
    """Draw a screen, in a font that every machine has: a picture that fetches a font shows none on a page that forbids it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(screen))
    form = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace('clip-path="url(#{unique_id}-clip-terminal)"', "")  # it cuts the last line's descenders
    form = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONT}", form)
    return console.export_svg(title=title, theme=DIMMED_MONOKAI, code_format=form, unique_id=title.rsplit(maxsplit=1)[-1])


if __name__ == "__main__":
    for name in sys.argv[1:] or ["page", "terminal", "dev"]:
        {"page": page, "terminal": terminal, "dev": dev}[name]()

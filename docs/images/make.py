"""Make the pictures of the README from what runs: `python docs/images/make.py page terminal`, or one of the two.

`page` needs what the app's tests need (Chromium, PostgreSQL, Node.js), `terminal` tmux and what `invoke up` needs: it runs it.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COLUMNS, ROWS = 104, 50
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
    tmux = ["tmux", "-L", "pictures"]
    shown = f"echo '$ invoke up'; {sys.executable} -m invoke up; echo {END}; sleep 60"
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), shown], cwd=ROOT, check=True)
    try:
        deadline = time.monotonic() + WITHIN_SECONDS
        while END not in (screen := _capture(tmux)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"`invoke up` did not end within {WITHIN_SECONDS} s")
            time.sleep(1)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    (HERE / "up.svg").write_text(_as_svg(screen[: screen.index(END)].rstrip()), encoding="utf-8")


def _capture(tmux: list[str]) -> str:
    return subprocess.run([*tmux, "capture-pane", "-e", "-p"], capture_output=True, text=True, check=True).stdout


def _as_svg(screen: str) -> str:
    """Draw a screen, in a font that every machine has: a picture that fetches a font shows none on a page that forbids it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(screen))
    form = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace('clip-path="url(#{unique_id}-clip-terminal)"', "")  # it cuts the last line's descenders
    form = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONT}", form)
    return console.export_svg(title="invoke up", theme=DIMMED_MONOKAI, code_format=form, unique_id="up")


if __name__ == "__main__":
    for name in sys.argv[1:] or ["page", "terminal"]:
        {"page": page, "terminal": terminal}[name]()

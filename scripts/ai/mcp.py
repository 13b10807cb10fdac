"""`invoke mcp`: this checkout's stack for assistants, as a server of the Model Context Protocol."""

from __future__ import annotations

import sys

from scripts.command import command
from scripts.core import shell
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import Project


@command(
    changes=False,
    help={
        "allow-changes": "also offer tools that change something: up, rollback, restart, scale",
        "port": "serve HTTP on this port of 127.0.0.1, with a bearer token; by default stdin and stdout",
    },
)
def mcp(project: Project, report: Report, *, allow_changes: bool = False, port: int = 0) -> None:
    """Serve this stack to an assistant, over MCP.

    Status, diagnosis, logs, plan and smoke test as tools, the specifications as resources. A client starts it by `.mcp.json`.
    """
    if port:
        _serve_http(project, report, port, allow_changes=allow_changes)
        return
    if report.as_json:
        raise InputError("--json: over stdin and stdout, stdout carries only MCP", "leave out --json, or serve HTTP: --port 8931")
    from scripts.ai.mcp_server import make_server  # the library takes half a second, which no other command should

    report.say("serving MCP on stdin and stdout, until the client closes its end")
    try:
        make_server(project.settings.engine, allow_changes=allow_changes).run("stdio")
    finally:
        shell.stop_all()  # what calls have started, and nobody waits for any more


def _serve_http(project: Project, report: Report, port: int, *, allow_changes: bool) -> None:
    from scripts.ai import mcp_http
    from scripts.ai.mcp_server import make_server

    wanted, made = mcp_http.token()
    with mcp_http.listen(port) as taken:
        url = f"http://{mcp_http.HOST}:{port}/mcp"
        report.event("address", url=url)
        report.result(url)
        if made and not report.as_json:  # made to be handed to a client: shown here once, past the redactor
            print(f"Authorization: Bearer {wanted}", file=sys.stdout, flush=True)
        report.say("Ctrl-C ends it")
        try:
            mcp_http.serve(make_server(project.settings.engine, allow_changes=allow_changes), taken, wanted)
        finally:
            shell.stop_all()


if __name__ == "__main__":
    run_command()

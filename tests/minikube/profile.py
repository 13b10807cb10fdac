"""A Minikube profile of the tests' own, with a small app in it, and what a person may do to it past us."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.config.settings import load_settings
from scripts.core import shell
from scripts.core.shell import Result
from scripts.engines.minikube import checks
from scripts.engines.minikube.program import MinikubeProgram
from tests.checkout import Checkout, Run

PAGE = Path(__file__).parent / "page"
UP_SECONDS = 1200
DOWN_SECONDS = 300
NOTHING_DONE = {"passed", "unchanged", "skipped"}


def why_not() -> str:
    """Return why no Minikube can start here, or an empty string. A profile of the developer's own is not asked about."""
    obstacle = checks.obstacle(load_settings(), MinikubeProgram(Profile.NAME, {}))
    return f"{obstacle.cause}: {obstacle.action}" if obstacle else ""


@dataclass
class Profile:
    """A checkout whose engine has a profile of its own; the app in it is one page and the bundled Postgres."""

    checkout: Checkout

    NAME = "todo-minikube-test"

    @classmethod
    def in_folder(cls, folder: Path) -> Profile:
        """Make the checkout; nothing is started yet."""
        checkout = Checkout.make(folder / "todo")
        checkout.adopt(PAGE)
        for place in ("project", "namespace", "release"):  # other tests remove images with the label of their release
            checkout.set(place, cls.NAME)
        checkout.set("engine", "minikube")
        checkout.set("monitoring.enabled", "false")
        return cls(checkout)

    def up(self) -> Run:
        """Bring the app up, which ends with its smoke test, and tell how long it and each step took that changed something."""
        run = self.told("up", self.checkout.invoke("up", "--json", timeout=UP_SECONDS))
        ended = [event for event in run.events() if event["event"] == "step_finished" and event["result"] not in NOTHING_DONE]
        print(*(f"  {e['step']} {e['result']} {e['seconds']} s: {e['detail']}" for e in ended), sep="\n", flush=True)
        return run

    def served(self) -> dict[str, str]:
        """Bring the app up, and return what each step did. It must succeed."""
        run = self.up()
        assert run.code == 0, run.stdout + run.stderr
        results = run.results()
        assert results["smoke"] == "passed", results
        return results

    def down(self, *options: str) -> Run:
        """Take it down."""
        return self.told(f"down {' '.join(options)}", self.checkout.invoke("down", "--yes", *options, timeout=DOWN_SECONDS))

    def forget_images(self) -> None:
        """Remove what was built for it."""
        label = f"label=app.kubernetes.io/part-of={self.NAME}"
        if ids := shell.run(["docker", "images", "--filter", label, "--quiet", "--no-trunc"], timeout=60).stdout.split():
            shell.run(["docker", "rmi", "--force", *ids], timeout=60)

    def edit(self, text: str) -> None:
        """Change the page, and what smoke wants to find on it."""
        (self.checkout.path.parent / PAGE.name / "index.html").write_text(text + "\n")
        self.want(text)

    def want(self, text: str) -> None:
        """Change what smoke wants to find on the page."""
        self.checkout.set("services.page.pages./", text)

    def sql(self, statement: str) -> str:
        """Ask the database."""
        run = self.checkout.invoke("psql", "--command", statement)
        assert run.code == 0, run.stderr
        return run.stdout

    def minikube(self, *argv: str) -> Result:
        """Do something past us."""
        environment = {"KUBECONFIG": str(self.kubeconfig)}
        return shell.run(["minikube", *argv, "--profile", self.NAME], timeout=DOWN_SECONDS, env=environment, ok=None)

    def known(self) -> dict[str, Any] | None:
        """Return the configuration that Minikube has of the profile; None where it has none."""
        valid = json.loads(self.minikube("profile", "list", "--light", "--output", "json").stdout)["valid"] or []
        return next((each["Config"] for each in valid if each["Name"] == self.NAME), None)

    def docker(self, *argv: str) -> Result:
        """Likewise, to the container that is the node."""
        return shell.run(["docker", *argv, self.NAME], timeout=DOWN_SECONDS, ok=None)

    def container(self) -> str:
        """Return the state of that container, or an empty string."""
        argv = ["docker", "ps", "--all", "--filter", f"name=^{self.NAME}$", "--format", "{{.State}}"]
        return shell.run(argv, timeout=60).stdout.strip()

    @property
    def kubeconfig(self) -> Path:
        """The checkout's own kubeconfig."""
        return self.checkout.path / ".state" / "kubeconfig"

    def told(self, what: str, run: Run) -> Run:
        """Print how a command ended, for a table of all."""
        print(f"{time.strftime('%H:%M:%S')} {what}: exit code {run.code}, {run.seconds:.1f} s, load {os.getloadavg()[0]:.0f}", flush=True)
        return run

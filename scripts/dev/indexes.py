"""Which versions an index has: Python's, npm's, Go's and registries of images over HTTP, a chart's by helm."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import requests
import yaml

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.dev.pinned import Pin
from scripts.machine.tool_downloads import trusted

SECONDS = 10
OLDEST_PYTHON = (3, 11)
SIMPLE = "application/vnd.pypi.simple.v1+json"
BRIEF = "application/vnd.npm.install-v1+json"


class NotToldError(Exception):
    """An index has not said which versions there are; its text says why."""


class Indexes:
    """The indexes of one run. One that could not be reached is not asked again."""

    def __init__(self) -> None:
        self._silent: dict[str, str] = {}

    def versions(self, pin: Pin) -> list[str]:
        """Return the versions that can be taken. Raises NotToldError."""
        ask: Mapping[str, Callable[[Pin], list[str]]] = {
            "python": self._python,
            "npm": self._npm,
            "go": self._go,
            "chart": self._chart,
            "image": self._image,
        }
        try:
            return ask[pin.index](pin)
        except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError):
            raise NotToldError("the index's answer cannot be understood") from None

    def _python(self, pin: Pin) -> list[str]:
        index = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
        answer = self.get(f"{index.rstrip('/')}/{re.sub(r'[-_.]+', '-', pin.name)}/", SIMPLE).json()
        return [version for file in answer["files"] if not file.get("yanked") and _fits(file) and (version := _version(file["filename"]))]

    def _npm(self, pin: Pin) -> list[str]:
        registry = os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org"
        answer = self.get(f"{registry.rstrip('/')}/{quote(pin.name, safe='@')}", BRIEF).json()
        return [version for version, each in answer["versions"].items() if "deprecated" not in each]

    def _go(self, pin: Pin) -> list[str]:
        proxy = next((each for each in re.split("[,|]", os.environ.get("GOPROXY", "")) if "://" in each), "https://proxy.golang.org")
        escaped = re.sub("[A-Z]", lambda match: f"!{match[0].lower()}", pin.asked)
        found = self.get(f"{proxy.rstrip('/')}/{escaped}/@v/list", "text/plain").text.split()
        return found if pin.now.startswith("v") else [each.removeprefix("v") for each in found]

    def _chart(self, pin: Pin) -> list[str]:
        repository = pin.asked
        where = [pin.name, "--repo", repository] if repository.startswith("http") else [f"{repository}/{pin.name}"]
        found = []
        for wanted in ([], ["--version", f"^{pin.now}"]):  # the newest of all, and of those that promise the same
            try:
                shown = shell.run([shell.which("helm"), "show", "chart", *where, *wanted], timeout=3 * SECONDS).stdout
            except TaskError as error:
                raise NotToldError(error.last_words) from None
            found.append(str(yaml.safe_load(shown)["version"]))
        return found

    def _image(self, pin: Pin) -> list[str]:
        """The versions in tags of the same form: as many numbers, and the same words behind them."""
        repository, suffix = pin.asked, pin.name.partition(":*")[2]
        host, _, path = repository.partition("/")
        scheme = "http" if host.startswith(("localhost", "127.")) else "https"  # as Docker has it
        url: str | None = f"{scheme}://{host}/v2/{path}/tags/list"
        headers, tags = self._login(str(url)), list[str]()
        while url:
            answer = self.get(url, "application/json", headers=headers)
            tags += answer.json()["tags"]
            following = answer.links.get("next", {}).get("url")
            url = urljoin(url, following) if following else None
        found = [tag.removesuffix(suffix) for tag in tags if tag.endswith(suffix)]
        return [each for each in found if each.count(".") == pin.now.count(".")]

    def _login(self, url: str) -> dict[str, str]:
        """What a registry wants from clients without an account: a token that it gives to everybody."""
        told = self.get(url, "application/json", ok=(401,)).headers.get("WWW-Authenticate", "")
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', told))
        if "realm" not in wanted:
            return {}
        answer = self.get(f"{wanted.pop('realm')}?{urlencode(wanted)}", "application/json").json()
        return {"Authorization": f"Bearer {answer.get('token') or answer['access_token']}"}

    def get(self, url: str, accept: str, *, ok: Collection[int] = (), headers: Mapping[str, str] | None = None) -> requests.Response:
        """Return what an index answers at a URL. Raises NotToldError."""
        return self._ask(url, ok, headers={"Accept": accept, **(headers or {})})

    def post(self, url: str, body: object) -> requests.Response:
        """Return what an index answers to a question in JSON. Raises NotToldError."""
        return self._ask(url, (), json=body)

    def _ask(self, url: str, ok: Collection[int], **question: Any) -> requests.Response:
        host = urlsplit(url).hostname or ""
        if host in self._silent:
            raise NotToldError(self._silent[host])
        try:
            method = "POST" if "json" in question else "GET"
            answer = requests.request(method, url, timeout=SECONDS, verify=trusted(), **question)
        except (requests.RequestException, ValueError):  # a wrong proxy variable is a ValueError of several kinds
            self._silent[host] = f"{host} cannot be reached"
            raise NotToldError(self._silent[host]) from None
        if not answer.ok and answer.status_code not in ok:
            raise NotToldError(f"{host} answered {answer.status_code} {answer.reason}")
        return answer


def _version(file: str) -> str:
    """The version in the name of a wheel or a source archive; nothing of an older kind of file."""
    if file.endswith(".whl"):
        return file.split("-")[1]
    return file.removesuffix(".tar.gz").rpartition("-")[2] if file.endswith(".tar.gz") else ""


def _fits(file: Mapping[str, Any]) -> bool:
    """Whether the oldest Python that we run on may take the file."""
    least = re.search(r">=?\s*(\d+)\.(\d+)", file.get("requires-python") or "")
    return not least or (int(least[1]), int(least[2])) <= OLDEST_PYTHON

"""What is publicly known against versions: of Python packages by their index, of npm's by the registry, of images by trivy."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.dev.indexes import Indexes, NotToldError
from scripts.dev.pinned import PIN

LOCK = "app/frontend/package-lock.json"
LOCKS = ("requirements*.txt", "app/backend/requirements.txt", "scripts/*.lock.txt")
ANSWER = "application/json"
LONGEST = 100
IMAGE_SECONDS = 600


@dataclass(frozen=True)
class Package:
    """A version that is written down."""

    name: str
    where: str
    now: str


Advisory = tuple[str, str, str, str, str, str]
"""Package, where, now, advisory, affected, what."""


@dataclass
class Known:
    """What is known against packages of one sort, how many were looked at, and for the others why not."""

    sort: str
    looked_at: int = 0
    advisories: list[Advisory] = field(default_factory=list)
    not_told: list[str] = field(default_factory=list)

    def told(self, package: Package, number: str, affected: str, what: str) -> None:
        """Note an advisory."""
        row = (package.name, package.where, package.now, number, affected, " ".join(what.split())[:LONGEST])
        if row not in self.advisories:
            self.advisories.append(row)


def python_packages(root: Path) -> list[Package]:
    """Return every Python package that is locked, each version once."""
    found: dict[tuple[str, str], Package] = {}
    for path in sorted({path for pattern in LOCKS for path in root.glob(pattern)}):
        for name, version in PIN.findall(path.read_text(encoding="utf-8")):
            found.setdefault((name.lower(), version), Package(name.lower(), str(path.relative_to(root)), version))
    return list(found.values())


def npm_packages(root: Path) -> list[Package]:
    """Return every npm package that is locked, each version once."""
    locked = json.loads((root / LOCK).read_text(encoding="utf-8"))["packages"]
    named = {(path.rpartition("node_modules/")[2], each["version"]) for path, each in locked.items() if path and "version" in each}
    return [Package(name, LOCK, version) for name, version in sorted(named)]


def of_python(packages: Sequence[Package], indexes: Indexes) -> Known:
    """Return what the index knows against Python packages."""
    known = Known("Python packages")

    def ask(package: Package) -> list[Mapping[str, Any]] | str:
        try:
            return _vulnerabilities(package, indexes)
        except NotToldError as error:
            return str(error)

    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="index") as pool:
        answers = list(pool.map(ask, packages))
    for package, answer in zip(packages, answers, strict=True):
        if isinstance(answer, str):
            known.not_told.append(answer)
            continue
        known.looked_at += 1
        for each in answer:
            fixed = ", ".join(each.get("fixed_in") or ())
            what = each.get("summary") or each.get("details") or ""
            known.told(package, _number(each), f"before {fixed}" if fixed else "every version", what)
    return known


def _vulnerabilities(package: Package, indexes: Indexes) -> list[Mapping[str, Any]]:
    base = re.sub(r"/simple/?$", "", os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple")
    answer = indexes.get(f"{base}/pypi/{package.name}/{package.now}/json", ANSWER, ok=(404,))
    try:
        told = (answer if answer.ok else indexes.get(f"{base}/pypi/{package.name}/json", ANSWER)).json()
        if told["info"]["version"] != package.now:
            raise NotToldError("the index reports only the newest version")
        return [each for each in told["vulnerabilities"] if not each.get("withdrawn")]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NotToldError("the index's answer cannot be understood") from None


def _number(vulnerability: Mapping[str, Any]) -> str:
    """The CVE's number where there is one, which other lists know it by too."""
    names = [*(vulnerability.get("aliases") or ()), vulnerability["id"]]
    return str(next((name for name in names if name.startswith("CVE-")), vulnerability["id"]))


def of_npm(packages: Sequence[Package], indexes: Indexes) -> Known:
    """Return what the registry knows against npm packages, by one question."""
    known, versions = Known("npm packages"), defaultdict[str, list[str]](list)
    for package in packages:
        versions[package.name].append(package.now)
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org"
    try:
        told = indexes.post(f"{registry.rstrip('/')}/-/npm/v1/security/advisories/bulk", versions).json()
        for name, advisories in told.items():
            package = Package(name, LOCK, ", ".join(versions[name]))
            for each in advisories:
                known.told(package, each["url"].rpartition("/")[2], each["vulnerable_versions"], each["title"])
        known.looked_at = len(packages)
    except NotToldError as error:
        known.not_told += [str(error)] * len(packages)
    except (AttributeError, KeyError, TypeError, ValueError):
        known.not_told += ["the index's answer cannot be understood"] * len(packages)
    return known


def of_images(images: Iterable[str]) -> Known:
    """Return what trivy knows against what is in images. Raises MissingError where it is not installed."""
    known, trivy = Known("images"), shell.which("trivy")
    for image in images:
        try:
            argv = [trivy, "image", "--quiet", "--scanners", "vuln", "--ignore-unfixed", "--format", "json", image]
            rows = list(_of_image(image, json.loads(shell.run(argv, timeout=IMAGE_SECONDS).stdout)))
        except TaskError as error:
            known.not_told.append(error.evidence[-1] if error.evidence else error.cause)
        except (AttributeError, KeyError, TypeError, ValueError):
            known.not_told.append("trivy's answer cannot be understood")
        else:
            known.looked_at += 1
            for package, number, affected, what in rows:
                known.told(package, number, affected, what)
    return known


def _of_image(image: str, told: Mapping[str, Any]) -> Iterator[tuple[Package, str, str, str]]:
    for result in told.get("Results") or ():
        for each in result.get("Vulnerabilities") or ():
            package = Package(each["PkgName"], image, each["InstalledVersion"])
            yield package, each["VulnerabilityID"], f"before {each['FixedVersion']}", each.get("Title") or each.get("Severity", "")

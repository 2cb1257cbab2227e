"""What can be said offline about the packages that this server is built from: `./dev lint` asks.

    python -m lock_audit

Every package is locked to one version with SHA-256 hashes, the lock files satisfy pyproject.toml
and each other, what is installed is what is locked, the packages of web/ carry their integrity, and
no version is on the list of refused ones (requirements-refused.txt: known holes and withdrawn
releases).

An offline check cannot know of a hole that was found after those lists were written. Who has a copy
of an advisory database in OSV's format (https://ossf.github.io/osv-schema/), such as the export for
PyPI, names its folder in TEAMLORE_ADVISORIES, and every locked version is looked up in it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT: Final = Path(__file__).parent
REFUSED: Final = "requirements-refused.txt"
UNLOCKED: Final = {"pip", "setuptools", "uv", "wheel"}
"""What makes an environment, and may be there before anything is installed into it."""
_PIN: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?P<marker> ; [^\\]+)? \\"
)
_HASH: Final = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?P<more> \\)?")


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked version of a package."""

    name: str
    version: str


def pins(path: Path, problems: list[str]) -> list[Pin]:
    """What a lock file locks; whatever is no pinned and hashed package is a problem."""
    found: list[Pin] = []
    awaited = False
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if awaited and (hashed := _HASH.fullmatch(line)):
            awaited = hashed["more"] is not None
        elif not awaited and (pin := _PIN.fullmatch(line)):
            found.append(Pin(canonicalize_name(pin["name"]), pin["version"]))
            awaited = True
        else:
            problems.append(
                f"{path.name}, line {number}: expected a pinned version with its hashes"
            )
            return found
    if awaited or not found:
        problems.append(f"{path.name} ends before its last package has its hashes")
    return found


def unsatisfied(wanted: Iterable[str], locked: Sequence[Pin], where: str) -> Iterator[str]:
    """Requirements that the locked versions do not meet."""
    for text in wanted:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        versions = [pin.version for pin in locked if pin.name == name]
        if not versions:
            yield f"{where} does not lock {name}"
        for version in versions:
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{where} locks {name} {version}, but {text} is required"


def refused(locked: Iterable[Pin], lines: Iterable[str]) -> Iterator[str]:
    """Locked versions that the list of refused ones names; each line is `name versions # why`."""
    for line in lines:
        text, _, why = line.partition("#")
        if not text.strip():
            continue
        entry = Requirement(text)
        for pin in locked:
            if pin.name == canonicalize_name(entry.name) and entry.specifier.contains(
                pin.version, prereleases=True
            ):
                yield f"{pin.name} {pin.version} is refused: {why.strip()}"


def advised(locked: Iterable[Pin], advisories: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Locked versions that an advisory names which was not withdrawn."""
    by_name: dict[str, list[Pin]] = {}
    for pin in locked:
        by_name.setdefault(pin.name, []).append(pin)
    for advisory in advisories:
        for affected in () if advisory.get("withdrawn") else advisory.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem") != "PyPI":
                continue
            for pin in by_name.get(canonicalize_name(str(package.get("name"))), ()):
                if is_affected(pin.version, affected):
                    yield f"{pin.name} {pin.version}: {advisory.get('id')}"


def is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Whether OSV's `affected` object covers a version: by name, or by a range of versions."""
    if version in affected.get("versions", ()):
        return True
    return any(
        _within(Version(version), span.get("events", ()))
        for span in affected.get("ranges", ())
        if span.get("type") == "ECOSYSTEM"
    )


def _within(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """OSV's rule: in the order of versions, `introduced` begins a span and the others end it."""
    inside = False
    for event in sorted(events, key=_place):
        kind, place = next(iter(event)), _place(event)
        if kind == "introduced" and version >= place:
            inside = True
        elif (kind == "fixed" and version >= place) or (
            kind == "last_affected" and version > place
        ):
            inside = False
    return inside


def _place(event: Mapping[str, str]) -> Version:
    try:
        return Version(next(iter(event.values())))
    except InvalidVersion:
        return Version("0")


def read_advisories(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The advisories in the JSON files at and below a folder."""
    for path in sorted(folder.rglob("*.json")):
        yield json.loads(path.read_text("utf-8"))


def differently_installed(locked: Iterable[Pin]) -> Iterator[str]:
    """Distributions of this environment that are not the locked ones."""
    versions: dict[str, set[str]] = {}
    for pin in locked:
        versions.setdefault(pin.name, set()).add(pin.version)
    for found in distributions():
        name = canonicalize_name(found.name)
        if name not in UNLOCKED and found.version not in versions.get(name, ()):
            yield f"{name} {found.version} is installed but not locked"


def without_integrity(package_lock: Path) -> Iterator[str]:
    """Packages of an npm lock file that could be replaced on their way here."""
    packages: dict[str, dict[str, Any]] = json.loads(package_lock.read_text("utf-8"))["packages"]
    for name, package in packages.items():
        if name and not str(package.get("integrity", "")).startswith("sha512-"):
            yield f"{package_lock.name}: {name} has no SHA-512"


def problems_of(root: Path) -> tuple[list[str], dict[str, list[Pin]]]:
    """What is wrong with the lock files below `root`, and what they lock."""
    problems: list[str] = []
    files = {path.name: path for path in root.glob("requirements*.txt") if path.name != REFUSED}
    locked = {name: pins(path, problems) for name, path in sorted(files.items())}
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    runtime, dev = locked["requirements.txt"], locked["requirements-dev.txt"]
    needed: list[str] = project["project"]["dependencies"]
    for_work: list[str] = project["dependency-groups"]["dev"]
    problems += unsatisfied(needed, runtime, "requirements.txt")
    problems += unsatisfied([*needed, *for_work], dev, "requirements-dev.txt")
    problems += [
        f"requirements-dev.txt does not lock {pin.name} {pin.version}, which the server runs with"
        for pin in runtime
        if pin not in dev
    ]
    for path in root.glob("requirements*.in"):
        wanted = [
            line for line in path.read_text("utf-8").splitlines() if line[:1] not in {"", "#"}
        ]
        lock = path.with_suffix(".txt").name
        problems += unsatisfied(wanted, locked[lock], lock)
    every = sorted(set().union(*locked.values()), key=lambda pin: (pin.name, pin.version))
    problems += refused(every, (root / REFUSED).read_text("utf-8").splitlines())
    problems += without_integrity(root / "web" / "package-lock.json")
    return problems, {**locked, "": every}


def main() -> int:
    """Say what is wrong and what was looked at; the exit status."""
    problems, locked = problems_of(ROOT)
    problems += differently_installed(locked["requirements-dev.txt"])
    folder = os.environ.get("TEAMLORE_ADVISORIES")
    if folder:
        problems += advised(locked[""], read_advisories(Path(folder)))
    asked = (
        f"the advisories in {folder}" if folder else "no advisory database (TEAMLORE_ADVISORIES)"
    )
    for problem in problems:
        print(problem, file=sys.stderr)
    print(
        f"{len(locked[''])} locked versions; asked {REFUSED} and {asked}; {len(problems)} problems"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

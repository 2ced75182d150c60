"""Where an embedded server's data lies, and who runs it.

An ordinary user runs it, and everything lies in the home. PostgreSQL refuses to run as root: there an unprivileged
user that exists already runs it, and the data lies where that user can go: in the home when every folder above it lets
them pass, else below ``/var/lib/kezhi``. No user is created and nobody's folder gets other rights: the home is ours.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

SYSTEM_FOLDER = Path("/var/lib/kezhi")
_ACCOUNT = "nobody"


class NoAccount(Exception):
    """Root has nobody to run PostgreSQL as."""


@dataclass(frozen=True)
class Account:
    """Who runs the server."""

    name: str
    uid: int
    gid: int

    def credentials(self) -> dict[str, object]:
        """What ``subprocess`` is told; nothing when that is ourselves."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Make a folder that is theirs alone."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.credentials():
            os.chown(folder, self.uid, self.gid)

    def let_pass(self, folder: Path) -> None:
        """Make a folder of ours that they can pass through and read known files in, but change nothing of."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.credentials():
            os.chown(folder, -1, self.gid)
            folder.chmod(0o710)


def account() -> Account:
    """Ourselves, or for root the unprivileged user. Raises NoAccount."""
    if os.geteuid() != 0:
        return Account("", os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise NoAccount(
            f"PostgreSQL does not run as root, and there is no user {_ACCOUNT!r} to run it as; "
            "start kezhi as an ordinary user"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def choose_folder(home: Path, runner: Account) -> Path:
    """The folder that a new installation's data and programs get; makes nothing."""
    if not runner.credentials() or all(_may_pass(folder, runner) for folder in home.resolve().parents):
        return home / "postgresql"
    readable = re.sub(r"[^a-z0-9]+", "-", home.name.lower()).strip("-")[:24]
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    return SYSTEM_FOLDER / f"{readable}-{digest}".strip("-")


def make_folder(home: Path, folder: Path, runner: Account) -> None:
    """Make the folder; all in it but the data is ours: who runs the server can't change its programs."""
    if folder.parent == home:
        runner.let_pass(home)
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o755)  # whatever the umask was: the account has to pass
    runner.let_pass(folder)


def remove_folder(home: Path, folder: Path) -> None:
    """Remove what ``make_folder`` made where it does not go with the home."""
    if folder.parent != home:
        shutil.rmtree(folder, ignore_errors=True)


def _may_pass(folder: Path, runner: Account) -> bool:
    found = folder.stat()
    if found.st_uid == runner.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == runner.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)

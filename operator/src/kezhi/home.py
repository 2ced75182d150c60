"""The folder an installation lives in: its configuration, secrets, log, and the lock of its one supervisor.

Nothing here is needed to run a service by itself (each reads its environment); the home is what lets the other
commands find a running installation again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.fernet import Fernet


class HomeInUse(Exception):
    """Another supervisor holds this home."""


@dataclass(frozen=True)
class Configuration:
    """What ``up`` was told, kept for the commands that come later."""

    instance: str
    amqp_url: str
    pg_url: str
    port: int


@dataclass(frozen=True)
class Home:
    """Paths and small files of one installation."""

    path: Path

    @classmethod
    def locate(cls, home: Path | None, instance: str) -> Home:
        """``--home``, else ``$KEZHI_HOME``, else ``~/.kezhi``; an instance has its own folder below."""
        if home is not None:
            return cls(home.absolute())
        base = Path(os.environ.get("KEZHI_HOME") or Path.home() / ".kezhi")
        return cls(base / (instance or "default"))

    @property
    def log(self) -> Path:
        """One log for the supervisor and all its children."""
        return self.path / "kezhi.log"

    @property
    def state(self) -> Path:
        """Process ids and ports of the running installation."""
        return self.path / "state.json"

    def create(self) -> None:
        """Make the folder; only its owner may look inside, because secrets live there."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home for the life of the block. Raises HomeInUse; a lock dies with its process."""
        with (self.path / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeInUse(f"another `kezhi up` runs in {self.path}") from None
            yield

    def running(self) -> bool:
        """Whether a supervisor holds the lock now."""
        if not (self.path / "lock").exists():
            return False
        try:
            with self.locked():
                return False
        except HomeInUse:
            return True

    def remember(self, configuration: Configuration) -> None:
        """Keep the configuration for later commands."""
        self._write("config.json", asdict(configuration))

    def configuration(self) -> Configuration | None:
        """The last configuration ``up`` ran with, or None for a home that never was up."""
        stored = self._read("config.json")
        return Configuration(**stored) if stored else None

    def secrets(self) -> dict[str, str]:
        """Database passwords and the key of encrypted fields; made once, readable by the owner alone."""
        known = self._read("secrets.json") or {}
        if not known:
            known = {"database": secrets.token_urlsafe(24), "field_key": Fernet.generate_key().decode()}
            self._write("secrets.json", known)
        return known

    def write_state(self, state: dict[str, object]) -> None:
        """Publish the running state for ``kezhi status``."""
        self._write("state.json", state)

    def read_state(self) -> dict[str, object]:
        """The last published state; empty when never up."""
        return self._read("state.json") or {}

    def _write(self, name: str, content: dict) -> None:
        # Written beside and renamed: a crash leaves the old file or the new one, never half of it.
        target = self.path / name
        draft = target.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            json.dump(content, handle, indent=1)
        draft.replace(target)

    def _read(self, name: str) -> dict | None:
        try:
            return json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return None

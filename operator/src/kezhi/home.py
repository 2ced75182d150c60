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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from kezhi.engine import cluster

EMBEDDED_BROKER = "kezhi+postgresql"


class HomeInUse(Exception):
    """Another supervisor holds this home."""


@dataclass(frozen=True)
class Configuration:
    """An installation's servers, as they can be connected to, and its gateway's port."""

    instance: str
    amqp_url: str
    pg_url: str
    port: int
    embedded_database: bool = False

    @property
    def embedded_broker(self) -> bool:
        """Whether messages go through our own transport, over a database beside those of the services."""
        return self.amqp_url.startswith(f"{EMBEDDED_BROKER}:")

    @property
    def broker_database(self) -> str:
        """Database and role of the embedded broker (decision 36)."""
        return f"kezhi_{self.instance}_broker" if self.instance else "kezhi_broker"


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
        if self.path.stat().st_mode & 0o067:  # who runs the embedded server for root may pass through, no more
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
        """Keep the configuration for later commands; of what is embedded, that it is."""
        self._write("config.json", self._told(configuration))

    def configuration(self) -> Configuration | None:
        """The last configuration ``up`` ran with, or None for a home that never was up."""
        stored = self._read("config.json")
        return self.resolved(**stored) if stored else None

    def resolved(self, instance: str, amqp_url: str | None, pg_url: str | None, port: int) -> Configuration:
        """A configuration with URLs of what is embedded (None) filled in; complete once the server has its port."""
        embedded = pg_url is None
        secrets = self.secrets() if self.path.exists() else {}
        if pg_url is None:
            pg_url = cluster.url(self.engine().get("port", 0), secrets.get("engine", ""))
        made = Configuration(instance, amqp_url or f"{EMBEDDED_BROKER}:", pg_url, port, embedded)
        if amqp_url is not None:
            return made
        broker = make_url(pg_url).set(
            drivername="postgresql",
            username=made.broker_database,
            password=secrets.get("database", ""),
            database=made.broker_database,
        )
        shown = broker.render_as_string(hide_password=False).removeprefix("postgresql")
        return replace(made, amqp_url=EMBEDDED_BROKER + shown)

    def refreshed(self, configuration: Configuration) -> Configuration:
        """The same, with the addresses of what is embedded as they are now."""
        return self.resolved(**self._told(configuration))

    def secrets(self) -> dict[str, str]:
        """Passwords of databases and server, the key of encrypted fields; made once, readable by the owner alone."""
        known = self._read("secrets.json") or {}
        made = {
            "database": secrets.token_urlsafe(24),
            "field_key": Fernet.generate_key().decode(),
            "engine": secrets.token_urlsafe(24),
        }
        if made.keys() - known.keys():
            known = {**made, **known}
            self._write("secrets.json", known)
        return known

    def engine(self) -> dict[str, Any]:
        """What is known of the embedded PostgreSQL; empty where there is none."""
        return self._read("engine.json") or {}

    def remember_engine(self, known: dict[str, Any]) -> None:
        """Keep it for the next start."""
        self._write("engine.json", known)

    def give_field_key(self, key: str) -> None:
        """Take the key of encrypted fields that restored data was written with."""
        self._write("secrets.json", {**self.secrets(), "field_key": key})

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Mark the home for the block; when the block does not end well, the mark stays."""
        mark = self.path / "restoring"
        mark.touch(mode=0o600)
        yield
        mark.unlink()

    def half_restored(self) -> bool:
        """Whether a restore was cut off, so that what is there is no installation."""
        return (self.path / "restoring").exists()

    def write_state(self, state: dict[str, object]) -> None:
        """Publish the running state for ``kezhi status``."""
        self._write("state.json", state)

    def read_state(self) -> dict[str, object]:
        """The last published state; empty when never up."""
        return self._read("state.json") or {}

    @staticmethod
    def _told(configuration: Configuration) -> dict[str, Any]:
        return {
            "instance": configuration.instance,
            "amqp_url": None if configuration.embedded_broker else configuration.amqp_url,
            "pg_url": None if configuration.embedded_database else configuration.pg_url,
            "port": configuration.port,
        }

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

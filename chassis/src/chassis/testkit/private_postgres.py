"""A PostgreSQL of a test's own."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from chassis.testkit.backends import postgres_binaries
from chassis.testkit.private_node import PrivateNode


@dataclass
class PrivatePostgres(PrivateNode):
    """A PostgreSQL with superuser ``postgres``, trusted on the loopback; as durable as any (``fsync`` stays on)."""

    binaries: Path | None = None
    settings: Mapping[str, str | int] = field(default_factory=dict)

    accounts = ("postgres", "nobody")
    farewell = signal.SIGINT  # a fast shutdown: sessions are ended, data is flushed

    def __post_init__(self) -> None:
        self.programs = self.binaries or postgres_binaries()
        super().__post_init__()
        if self.credentials and not _everybody_may_enter(self.programs):
            self.programs = self._copy_of(self.programs.parent) / "bin"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _copy_of(self, install: Path) -> Path:
        # The wheel's programs find their libraries by where they lie: one folder up, and one aside.
        package = self.folder / "server" / install.parent.name
        shutil.copytree(install, package / install.name, ignore=shutil.ignore_patterns("pgxs"))
        for libraries in install.parents[1].glob(f"{install.parent.name}.libs"):
            shutil.copytree(libraries, package.parent / libraries.name)
        return package / install.name

    def prepare(self) -> None:
        initdb = [
            str(self.programs / "initdb"),
            "-D",
            str(self.folder / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
        ]
        self.run(*initdb, "-E", "UTF8", "--no-locale", "--no-sync")

    def command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 100,
            "shared_buffers": "64MB",
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options]

    def kill(self) -> None:
        """SIGKILL to the postmaster and all its backends, which have process groups of their own."""
        if self.process is not None and self.process.poll() is None:
            backends = _children(self.process.pid)
            super().kill()
            for pid in backends:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with suppress(FileNotFoundError):
            (self.folder / "data" / "postmaster.pid").unlink()

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _everybody_may_enter(folder: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.resolve().parents))


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []

"""The embedded PostgreSQL of one installation: made at the first start, adopted or started, kept alive, stopped last.

What must be known between runs (port, folder, major version) is kept in the home's ``engine.json``. Only the
supervisor that holds the home's lock may call what starts, stops or changes something.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kezhi.engine import cluster, place, postmaster, programs, upgrade
from kezhi.engine.postmaster import NotStarted, PortTaken, Postmaster
from kezhi.home import Home
from kezhi.supervisor import note

LONGEST_PAUSE = 10.0
_TRIES = 5  # ports to try when others are quicker
_LOOK_EVERY = 0.1


class EngineFailure(Exception):
    """The embedded PostgreSQL can't be had; the message is for the person."""


@dataclass(frozen=True)
class Look:
    """What ``kezhi status`` tells of a living embedded server."""

    pid: int
    port: int
    major: int
    started: float
    data: Path


@dataclass
class Engine:
    """The embedded server of a home."""

    home: Home
    restarts: int = 0
    server: Postmaster = field(init=False)  # while it is running
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def folder(self) -> Path:
        """Programs, settings and data; in the home unless the user who runs the server could not go there."""
        known = self.home.engine()
        if known:
            return Path(known["folder"]) if known["folder"] else self.home.path.resolve() / "postgresql"
        return place.choose_folder(self.home.path, place.account())

    @property
    def data(self) -> Path:
        """The cluster that is in force."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home.path / "postgresql.log"

    def look(self) -> Look | None:
        """What runs now, for commands that don't own it; None when nothing does."""
        if not self.home.engine():
            return None
        found = postmaster.find(self.data)
        if found is None:
            return None
        return Look(found.process.pid, found.port, cluster.major_of(self.data) or 0, found.started, self.data)

    @contextmanager
    def running(self, say: Callable[[str], None]) -> Iterator[Engine]:
        """The server, for the block: adopted or started, started again when it dies, stopped in the end.

        Raises EngineFailure with what to do.
        """
        try:
            self.server = self._begin(say)
        except (programs.NoPrograms, place.NoAccount) as missing:
            raise EngineFailure(str(missing)) from None
        except NotStarted as failed:
            raise EngineFailure(
                f"the embedded PostgreSQL did not start: {failed} (whole story in {self.log})"
            ) from None
        keeper = threading.Thread(target=self._keep, name="postgresql", daemon=True)
        keeper.start()
        try:
            yield self
        finally:
            self._stopping.set()
            keeper.join()
            self.server.stop()

    def state(self) -> dict[str, Any]:
        """Process id, start and restarts, as the supervisor publishes those of its children."""
        return {
            "name": "postgresql",
            "pid": self.server.process.pid,
            "started": self.server.started,
            "restarts": self.restarts,
            "port": self.server.port,
        }

    def remove(self) -> None:
        """Stop a server that outlived its supervisor and remove what lies outside of the home."""
        if not self.home.engine():
            return
        for data in (self.data, upgrade.loading(self.folder)):
            if (found := postmaster.find(data)) is not None:
                found.stop()
        if self.folder.parent != self.home.path.resolve():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self, say: Callable[[str], None]) -> Postmaster:
        runner = place.account()
        folder = self.folder
        place.make_folder(self.home.path.resolve(), folder, runner)
        known = self.home.engine()
        self._remember(folder, known.get("port", 0), made=known.get("made", False))
        wanted = programs.newest()
        password = self.home.secrets()["engine"]
        found = postmaster.find(self.data)
        if found is not None and (cluster.major_of(self.data) or 0) >= wanted.major:
            postmaster.await_ready(found, password, self.log)
            note(self.home.log, f"adopted the PostgreSQL that still ran ({found.process.pid})")
            self._remember(folder, found.port, made=True)
            return found
        if found is not None:
            found.stop()  # it is of an older major version: its data will be upgraded
        upgrade.finish_interrupted(folder)
        if cluster.major_of(self.data) is None:
            if known.get("made"):
                raise EngineFailure(
                    f"{self.data} is gone; put it back, or `kezhi reset` and restore a backup: nothing was changed"
                )
            cluster.make(programs.copy_beside(wanted, folder), self.data, runner, password)
            self._remember(folder, 0, made=True)
        major = cluster.major_of(self.data) or 0
        if major in programs.carried():
            programs.copy_beside(programs.carried()[major], folder)
        if not programs.is_copied(folder, major):
            raise NotStarted(f"the data is PostgreSQL {major}'s, and its programs beside the data are gone")
        if major < wanted.major:
            try:
                upgrade.upgrade(folder, major, wanted, runner, password, self.log, say)
            except (NotStarted, upgrade.UpgradeFailed) as failed:
                say(
                    f"PostgreSQL {major} goes on, its data is as it was: the upgrade to {wanted.major} failed: {failed}"
                )
        started = self._start(runner, password)
        upgrade.forget_old(folder, say)
        return started

    def _start(self, runner: place.Account, password: str) -> Postmaster:
        major = cluster.major_of(self.data) or 0
        port = self.home.engine().get("port") or cluster.free_port()
        for _ in range(_TRIES):
            if not cluster.is_free(port):
                port = cluster.free_port()
            settings = cluster.configure(self.folder, major, port, runner)
            server = postmaster.start(programs.beside(self.folder, major), self.data, settings, port, runner, self.log)
            try:
                postmaster.await_ready(server, password, self.log)
            except PortTaken:
                server.stop()
                port = cluster.free_port()
                continue
            except BaseException:
                server.stop()
                raise
            self._remember(self.folder, port, made=True)
            return server
        raise NotStarted(f"{_TRIES} ports were taken one after the other")

    def _remember(self, folder: Path, port: int, *, made: bool) -> None:
        inside = folder.parent == self.home.path.resolve()
        self.home.remember_engine({"folder": None if inside else str(folder), "port": port, "made": made})

    def _keep(self) -> None:
        # The services hold this port in their settings: it is started again there and nowhere else.
        runner, password, pause = place.account(), self.home.secrets()["engine"], 0.2
        major = cluster.major_of(self.data) or 0
        while not self._stopping.wait(_LOOK_EVERY):
            if self.server.alive():
                continue
            note(self.home.log, f"postgresql ended; starting it again on port {self.server.port}")
            try:
                port = self.server.port
                settings = cluster.configure(self.folder, major, port, runner)
                self.server = postmaster.start(
                    programs.beside(self.folder, major), self.data, settings, port, runner, self.log
                )
                self.restarts += 1
                postmaster.await_ready(self.server, password, self.log, self._stopping)
                pause = 0.2
            except (NotStarted, OSError) as failed:
                note(self.home.log, f"postgresql did not start, again in {pause:.1f} s; see {self.log.name}: {failed}")
                self.server.stop()
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

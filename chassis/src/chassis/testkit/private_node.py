"""Servers of a test's own, to be killed at will: other nodes of the machine are never touched.

Each node lives in a temporary folder with a port (and node name, cookie, plugins file) of its own, run by an
unprivileged user where the test runs as root, and ends with its context. ``kill`` is SIGKILL to that node alone.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_PR_SET_PDEATHSIG = 1
STARTUP = 180.0  # seconds, on a machine that starts many


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class PrivateNode(ABC):
    """What both kinds share: a folder, a port, a process group, and its three fates."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    folder: Path = field(init=False)

    accounts: tuple[str, ...] = ("nobody",)  # who may run it when the test is root, best first
    farewell = signal.SIGTERM  # asks for an orderly stop

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kezhi-node-"))
        self.folder.chmod(0o755)
        account = self._account()
        self.credentials = (
            {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        )
        if account is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.discard()

    @abstractmethod
    def prepare(self) -> None:
        """Make what the first start needs."""

    @abstractmethod
    def command(self) -> list[str]:
        """What runs the node in the foreground."""

    def environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.folder)}

    @abstractmethod
    def answers(self) -> bool:
        """Whether the node serves clients."""

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self.folder / "node.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the node's own programs
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment(),
                start_new_session=True,
                preexec_fn=self._die_with_the_test,  # noqa: PLW1509 - a system call and nothing else
                **self.credentials,  # type: ignore[call-overload]
            )
        self.await_answer()

    def await_answer(self) -> None:
        patience = time.monotonic() + STARTUP
        while not self.answers():
            if self.process is None or self.process.poll() is not None or time.monotonic() > patience:
                raise RuntimeError(f"{type(self).__name__} does not answer:\n{self.log()[-4000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no flush."""
        self._signal(signal.SIGKILL)
        self._wait(10)

    def stop(self) -> None:
        """An orderly stop; a kill when it takes longer than 30 seconds."""
        self._signal(self.farewell)
        if not self._wait(30):
            self.kill()

    def restart(self) -> None:
        """An orderly stop and a start on the same data and port."""
        self.stop()
        self.start()

    def discard(self) -> None:
        """End it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What the node said so far."""
        file = self.folder / "node.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def run(self, *command: str) -> None:
        """Run a command as the node's user."""
        done = subprocess.run(  # noqa: S603 - the node's own programs
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment(),
            timeout=STARTUP,
            check=False,
            **self.credentials,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

    def _account(self) -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        return next((known[name] for name in self.accounts if name in known), None)

    def _die_with_the_test(self) -> None:
        # Linux ends the node even when the test run itself is killed; elsewhere a killed run leaves it behind.
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, self.farewell)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number) if number == signal.SIGKILL else self.process.send_signal(number)

    def _wait(self, seconds: float) -> bool:
        if self.process is None:
            return True
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

"""A PostgreSQL and a RabbitMQ of a test's own, to be killed at will: other nodes of the machine are never touched.

Each node lives in a temporary folder with a port (and node name, cookie, plugins file) of its own, run by an
unprivileged user where the test runs as root, and ends with its context. ``kill`` is SIGKILL to that node alone.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from chassis.testkit.backends import postgres_binaries, rabbitmq_server

_PR_SET_PDEATHSIG = 1
STARTUP = 180.0  # seconds, on a machine that starts many
PLUGINS = ("rabbitmq_consistent_hash_exchange",)


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


@dataclass
class PrivateRabbitMQ(PrivateNode):
    """A RabbitMQ node of its own name, mnesia folder, cookie and plugins; it shares only the machine's epmd.

    RabbitMQ 3.10 writes its register of quorum queues to disk a moment after a declaration: a queue that was declared
    less than a second before ``kill`` may never answer again. Declare, wait, then kill.
    """

    accounts = ("rabbitmq", "nobody")

    def __post_init__(self) -> None:
        self.server = rabbitmq_server()
        self.node = f"kezhi-{secrets.token_hex(4)}@localhost"
        self.distribution = free_port()
        super().__post_init__()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def prepare(self) -> None:
        (self.folder / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
        )
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        for file in self.folder.iterdir():
            if self.credentials:
                os.chown(file, int(self.credentials["user"]), int(self.credentials["group"]))  # type: ignore[call-overload]

    def command(self) -> list[str]:
        return [str(self.server)]

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-env.conf"),
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node, which takes signals itself
            "ERL_CRASH_DUMP": "/dev/null",
        }

    def answers(self) -> bool:
        # by hand, since every client library logs a page for each refused connection
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as greeting:
                greeting.sendall(b"AMQP\x00\x00\x09\x01")
                return greeting.recv(1) == b"\x01"  # a method frame: connection.start
        except OSError:
            return False


def _everybody_may_enter(folder: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.resolve().parents))


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []

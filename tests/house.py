"""A whole installation for tests and benchmarks: `kezhi up` on the real servers under an instance name of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from kezhi.api import Api

PASSWORD = "correct-horse-客至-battery"  # a test's own, for an installation that lives minutes


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class House:
    """A running installation and how to reach it."""

    instance: str
    home: Path
    port: int
    amqp_url: str
    pg_url: str
    process: subprocess.Popen[str] | None = None

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "KEZHI_AMQP": self.amqp_url,
            "KEZHI_PG": self.pg_url,
            "KEZHI_ADMIN_PASSWORD": PASSWORD,
            "KEZHI_HTTP_WORKERS": "1",
        }

    def command(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run ``kezhi <arguments>`` on this installation to its end."""
        argv = [sys.executable, "-m", "kezhi", *arguments, "--home", str(self.home), "--instance", self.instance]
        return subprocess.run(argv, env=self.environment(), capture_output=True, text=True, check=False, timeout=300, **options)  # type: ignore[call-overload, no-any-return]

    def up(self, *options: str) -> None:
        """Start it and wait for its word."""
        argv = [sys.executable, "-m", "kezhi", "up", "--home", str(self.home), "--instance", self.instance]
        self.process = subprocess.Popen(
            [*argv, "--port", str(self.port), *options],
            env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("ready "):
                return
        log = self.home / "kezhi.log"
        tail = log.read_text()[-4000:] if log.exists() else ""
        raise AssertionError(f"kezhi up ended before it was ready:\n{''.join(said)}\n{tail}")

    def down(self) -> None:
        """SIGTERM, and the promise of 30 seconds."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=35)

    def api(self, username: str = "admin", password: str = PASSWORD) -> Api:
        return Api(f"http://127.0.0.1:{self.port}", username, password)


def build_house(home: Path, amqp_url: str, pg_url: str) -> House:
    return House(f"t{uuid.uuid4().hex[:8]}", home, free_port(), amqp_url, pg_url)

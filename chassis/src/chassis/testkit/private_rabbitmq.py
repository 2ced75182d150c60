"""A RabbitMQ of a test's own."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass

from chassis.testkit.backends import rabbitmq_server
from chassis.testkit.private_node import PrivateNode, free_port

PLUGINS = ("rabbitmq_consistent_hash_exchange",)


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

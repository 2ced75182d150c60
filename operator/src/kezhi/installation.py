"""Which services an installation has, and what each of its processes is told."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from chassis.runtime import Runtime, start_runtime
from chassis.service import Service
from chassis.settings import Settings
from kezhi.home import Configuration, Home

SERVICES = ("customer", "complaint", "loyalty", "notify", "gateway")


def build_service(name: str) -> Service:
    """The declaration that the service's own ``bootstrap.py`` makes."""
    return importlib.import_module(f"{name}.bootstrap").build_service()


@dataclass(frozen=True)
class Installation:
    """One company's Kezhi: a home, a broker, a PostgreSQL server, an instance name."""

    home: Home
    configuration: Configuration

    def database_name(self, service: str) -> str:
        """``kezhi_<service>``, or ``kezhi_<instance>_<service>`` (decision 36); also the name of the service's role."""
        instance = self.configuration.instance
        return f"kezhi_{instance}_{service}" if instance else f"kezhi_{service}"

    def owner_name(self, service: str) -> str:
        """The role that owns the tables and runs migrations; the service itself runs as a lesser one."""
        return f"{self.database_name(service)}_owner"

    def database_url(self, service: str, *, owner: bool = False) -> str:
        """Where the service (or, for migrations, its owner role) connects to."""
        role = self.owner_name(service) if owner else self.database_name(service)
        url: URL = make_url(self.configuration.pg_url).set(
            drivername="postgresql",
            username=role,
            password=self.home.secrets()["database"],
            database=self.database_name(service),
        )
        return url.render_as_string(hide_password=False)

    def broker_url(self) -> str:
        """Where the embedded broker's own role connects to its database."""
        return self.configuration.amqp_url.removeprefix("kezhi+")

    def environment(self, service: str, ports: dict[str, int]) -> dict[str, str]:
        """What one child process is told; ``ports`` maps services to the ports that they serve on."""
        gateway = f"http://127.0.0.1:{ports['gateway']}"
        told = {
            "KEZHI_DATABASE_URL": self.database_url(service),
            "KEZHI_AMQP_URL": self.configuration.amqp_url,
            "KEZHI_INSTANCE": self.configuration.instance,
            "KEZHI_MODE": os.environ.get("KEZHI_MODE", "evaluation"),
            "KEZHI_HTTP_HOST": "127.0.0.1",
            "KEZHI_HTTP_PORT": str(ports[service]),
            "KEZHI_HTTP_WORKERS": os.environ.get("KEZHI_HTTP_WORKERS", "1"),
            "KEZHI_JWKS_URL": f"{gateway}/.well-known/jwks.json",
            "KEZHI_FIELD_KEYS": self.home.secrets()["field_key"],
            "KEZHI_PUBLIC_URL": os.environ.get("KEZHI_PUBLIC_URL") or gateway,  # what links in messages begin with
        }
        if service == "notify" and told["KEZHI_MODE"] == "evaluation":  # what has no provider becomes a file
            told["KEZHI_OUTGOING_DIR"] = os.environ.get("KEZHI_OUTGOING_DIR") or str(self.home.path / "outgoing")
        if service == "gateway":
            told |= {
                f"KEZHI_SERVICE_{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}"
                for name in SERVICES
                if name != "gateway"
            }
        left_out = {"KEZHI_ADMIN_PASSWORD", "KEZHI_HOME"}
        inherited = {key: value for key, value in os.environ.items() if key not in left_out}
        return inherited | told

    def settings(self, service: str, *, owner: bool = False) -> Settings:
        """Settings for work that a command does on a service's behalf, in its own process."""
        return Settings(
            service=service,
            database_url=self.database_url(service, owner=owner),
            amqp_url=self.configuration.amqp_url,
            instance=self.configuration.instance,
            mode=os.environ.get("KEZHI_MODE", "evaluation"),
            clock_file=Path(clock) if (clock := os.environ.get("KEZHI_CLOCK")) else None,
            field_keys=(self.home.secrets()["field_key"],),
            log_level="WARNING",
            pool_size=2,
        )

    def runtime(self, service: str) -> Runtime:
        """A runtime of the service inside this process."""
        return start_runtime(build_service(service), self.settings(service))

"""A migrated database for every test: made from a template that each session migrates once per service."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import delete
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from chassis.clock import FakeClock
from chassis.messaging.outbox import OutboxRow
from chassis.policies.use_cases import found_policy
from chassis.service import Service
from chassis.settings import Settings
from chassis.storage.engine import make_engine
from chassis.storage.migrations import migrate


def declared(service: Service | Callable[[], Service]) -> Service:
    """A service, whether the test gave it or its ``build_service``."""
    return service if isinstance(service, Service) else service()


@dataclass
class Databases:
    """The databases of one pytest session (one per xdist worker); names are random, so sessions never meet."""

    server: str
    templates: dict[tuple[str, Path, Path | None], str] = field(default_factory=dict)

    def fresh(self, service: Service, pack: Path | None = None) -> str:
        """The URL of a new database at the newest revision of both lines, governed by ``pack`` if one is given."""
        key = (service.name, service.migrations, pack)
        if key not in self.templates:
            template = f"kezhi_template_{service.name}_{uuid.uuid4().hex[:12]}"
            self.create(template)
            self.templates[key] = template
            migrate(service, self.url(template))
            if pack is not None:
                _found(service, self.url(template), pack)
        name = f"kezhi_test_{service.name}_{uuid.uuid4().hex[:12]}"
        self.create(name, template=self.templates[key])
        return self.url(name)

    def url(self, name: str) -> str:
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def create(self, name: str, template: str = "template0") -> None:
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)

    def drop(self, url_or_name: str) -> None:
        """Gone at once, whoever is still connected."""
        name = make_url(url_or_name).database if "://" in url_or_name else url_or_name
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(name))

    def close(self) -> None:
        for template in self.templates.values():
            self.drop(template)
        self.templates.clear()

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _found(service: Service, url: str, pack: Path) -> None:
    """Put the pack in force, as an installation's first start does; its announcement is not the tests' business."""
    engine = make_engine(Settings(service.name, database_url=url, amqp_url=""))
    clock = FakeClock()
    with Session(engine, info={"service": service.name, "clock": clock}) as session:
        found_policy(session, service, pack, clock)
        session.execute(delete(OutboxRow))
        session.commit()
    engine.dispose()

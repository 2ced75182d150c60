"""What `api` measures: for each resource how to serve it, how to make the row, and the bare read of the same row."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography.fernet import Fernet
from flask import Flask, Response, jsonify

from chassis.founding import found
from chassis.messaging.testing import deliver
from chassis.runtime import start_runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.testkit import tokens
from chassis.testkit.databases import Databases
from chassis.testkit.people import Company
from chassis.web.app import create_app

ROW = uuid.UUID("01a1f6ae-9900-7052-869f-8ba423e55c03")
PACK = Path(__file__).resolve().parent.parent / "policies" / "consumer-goods"


@dataclass
class Target:
    """One resource on a database of its own."""

    application: str  # what gunicorn serves
    environment: dict[str, str]
    bare_environment: dict[str, str]
    prepare: Callable[[str], tuple[str, dict[str, str]]]  # URL of ours → path and headers of the request
    bare_path: Callable[[], str]  # asked after prepare
    close: Callable[[], None] = field(default=lambda: None)


def bare() -> Flask:
    """The floor: one connection per process, one statement, Flask's JSON."""
    app = Flask("bare")
    statement = os.environ["BARE_STATEMENT"]
    held: list[psycopg.Connection[dict[str, Any]]] = []

    @app.get("/row/<key>")
    def row(key: str) -> Response:
        if not held:  # after the fork
            url = os.environ["KEZHI_DATABASE_URL"]
            held.append(psycopg.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row))
        found = held[0].execute(statement, [key]).fetchone()
        return jsonify(found)

    return app


def one_row(databases: Databases) -> Target:
    """The smallest service: what the stack itself costs."""
    from benchmarks.api_sample import build_service  # noqa: PLC0415 - the bare application needs no service

    url = databases.fresh(build_service())
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO thing VALUES (%s, 'T-1', 'A thing', 256.00, now(), 3)", [ROW])
    return Target(
        "benchmarks.api_targets:served('benchmarks.api_sample')",
        environment_of(url),
        {
            "KEZHI_DATABASE_URL": url,
            "BARE_STATEMENT": "SELECT id, code, name, price, at, copies FROM thing WHERE id = %s",
        },
        lambda _: (f"/api/v1/things/{ROW}", {"Authorization": tokens.bearer(["reader"])}),
        lambda: f"/row/{ROW}",
        partial(databases.drop, url),
    )


def customer(databases: Databases) -> Target:
    """GET customers/{id}, with identities, phones, classes and standing."""
    from customer.bootstrap import build_service  # noqa: PLC0415

    url = _founded(databases, build_service())
    made: dict[str, str] = {}

    def prepare(base: str) -> tuple[str, dict[str, str]]:
        headers = {"Authorization": tokens.bearer(["administrator"])}
        body = {
            "kind": "individual",
            "name": "Bench One",
            "phones": [{"number": "+8613800138000"}],
            "identities": [{"scheme": "card", "value": "8801"}],
        }
        made["id"] = _make(f"{base}/api/v1/customers", body, headers)
        return f"/api/v1/customers/{made['id']}", headers

    return Target(
        "benchmarks.api_targets:served('customer.bootstrap')",
        environment_of(url),
        {"KEZHI_DATABASE_URL": url, "BARE_STATEMENT": "SELECT * FROM customer WHERE id = %s"},
        prepare,
        lambda: f"/row/{made['id']}",
        partial(databases.drop, url),
    )


def member(databases: Databases) -> Target:
    """GET members/{id}: tier, balances, what expires next."""
    from loyalty.bootstrap import build_service  # noqa: PLC0415

    service = build_service()
    url = _founded(databases, service)
    runtime = start_runtime(service, Settings(service=service.name, database_url=url, amqp_url=""))
    registered = {
        "specversion": "1.0",
        "id": "1",
        "source": "/kezhi/customer",
        "type": "customer.registered.v1",
        "subject": str(ROW),
        "time": "2026-11-20T02:00:00Z",
        "sequence": "00000000000000000001",
        "data": {
            "customer_id": str(ROW),
            "code": "C-1",
            "kind": "individual",
            "name": "Bench One",
            "status": "active",
            "unit": None,
            "identities": [],
            "grade": None,
            "classes": {},
            "standing": {"may_trade": True, "reasons": []},
        },
    }
    if deliver(runtime, "customers", [registered]) != ["accepted"]:
        raise RuntimeError("the member could not be enrolled")
    runtime.engine.dispose()
    return Target(
        "benchmarks.api_targets:served('loyalty.bootstrap')",
        environment_of(url),
        {"KEZHI_DATABASE_URL": url, "BARE_STATEMENT": "SELECT * FROM member WHERE customer_id = %s"},
        lambda _: (f"/api/v1/members/{ROW}", {"Authorization": tokens.bearer(["administrator"])}),
        lambda: f"/row/{ROW}",
        partial(databases.drop, url),
    )


def complaint(databases: Databases) -> Target:
    """GET complaints/{id}: the case with its customer, its clocks, its rounds and what the caller may do."""
    from complaint.bootstrap import build_service  # noqa: PLC0415

    service = build_service()
    url = _founded(databases, service)
    environment = environment_of(url)
    settings = Settings(
        service=service.name, database_url=url, amqp_url="", field_keys=(environment["KEZHI_FIELD_KEYS"],)
    )
    runtime = start_runtime(service, settings)
    company = Company(runtime)
    company.unit("SH")
    company.employ("li", ["handler"], unit="SH")
    runtime.engine.dispose()
    made: dict[str, str] = {}

    def prepare(base: str) -> tuple[str, dict[str, str]]:
        headers = {"Authorization": tokens.bearer(["administrator"])}
        body = {
            "channel": "hotline",
            "complainant": {"name": "Bench One", "phone": "+86 138 0013 8000"},
            "subject": "Leaking bottle",
            "description": "The bottle was leaking when it came. " * 5,
            "category": "product.quality",
            "unit": "SH",
        }
        made["id"] = _make(f"{base}/api/v1/complaints", body, headers)
        return f"/api/v1/complaints/{made['id']}", headers

    return Target(
        "benchmarks.api_targets:served('complaint.bootstrap')",
        environment,
        {"KEZHI_DATABASE_URL": url, "BARE_STATEMENT": "SELECT * FROM complaint WHERE id = %s"},
        prepare,
        lambda: f"/row/{made['id']}",
        partial(databases.drop, url),
    )


TARGETS: tuple[Callable[[Databases], Target], ...] = (one_row, customer, member, complaint)


def _make(url: str, body: dict[str, Any], headers: dict[str, str]) -> str:
    """Create what will be read; its id."""
    answer = httpx.post(url, json=body, headers=headers, trust_env=False, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _founded(databases: Databases, service: Service) -> str:
    """A fresh database with the default pack in force."""
    url = databases.fresh(service)
    settings = Settings(service=service.name, database_url=url, amqp_url="")
    runtime = start_runtime(service, settings)
    found(runtime, PACK)
    runtime.engine.dispose()
    return url


def served(module: str) -> Flask:
    """A service as ``serve`` runs it."""

    service: Service = import_module(module).build_service()
    return create_app(start_runtime(service, Settings.from_environment(service.name)))


def environment_of(url: str) -> dict[str, str]:
    """What a served service of a benchmark is told."""
    return {
        "KEZHI_DATABASE_URL": url,
        "KEZHI_MODE": "evaluation",  # rate limits spare loopback, as they would a load balancer's health check
        "KEZHI_JWKS_URL": tokens.static_jwks(),
        "KEZHI_FIELD_KEYS": Fernet.generate_key().decode(),
        "KEZHI_LOG_LEVEL": "WARNING",
        "KEZHI_POLICY_DIR": str(PACK),
    }

"""The verbs of every service: ``python -m <service> serve | work | migrate | resync | rekey | openapi``.

A mistake in the configuration, or a database that can't be reached, is one clear line and exit status 2, never a
traceback.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import orjson
from environs import EnvError
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import sessionmaker

from chassis.errors import Refusal
from chassis.messaging.names import BrokerNames
from chassis.service import Service
from chassis.settings import Settings
from chassis.storage.encrypted import NoFieldKeys, encrypted_columns, rekey
from chassis.storage.engine import make_engine
from chassis.storage.migrations import migrate


class Misconfigured(Exception):
    """The process can't start as it was told to; the message says what to change."""


def main(build_service: Callable[[], Service], arguments: Sequence[str] | None = None) -> None:
    """Parse the verb and do it."""
    service = build_service()
    parsed = _parser(service).parse_args(arguments)
    verbs: dict[str, Callable[[Service, argparse.Namespace], None]] = {
        "serve": _serve,
        "work": _work,
        "migrate": _migrate,
        "resync": _resync,
        "rekey": _rekey,
        "openapi": _openapi,
    }
    try:
        verbs[parsed.verb](service, parsed)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as failure:
        reason = _in_one_line(failure)
        if reason is None:
            raise
        print(f"{service.name} {parsed.verb}: {reason}", file=sys.stderr)
        sys.exit(2)


def _parser(service: Service) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {service.name}", description=service.title)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("serve", help="answer HTTP requests (KEZHI_HTTP_HOST, KEZHI_HTTP_PORT, KEZHI_HTTP_WORKERS)")
    work = verbs.add_parser("work", help="consume, publish, and do what is due")
    work.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ROLE",
        help=f"{', '.join(('consume', 'consume:<subscription>', 'relay', 'due', 'dead', *service.parts))}; "
        "may be repeated or comma-separated",
    )
    verbs.add_parser("migrate", help="bring the database and the broker to what this version needs")
    resync = verbs.add_parser(
        "resync", help="republish a state, or raw purchases, to one queue (`kezhi resync` by hand)"
    )
    resync.add_argument("snapshot", help=f"purchases{''.join(f', {one.name}' for one in service.snapshots)}")
    resync.add_argument("--queue", required=True, help="whose copy is to be levelled, e.g. loyalty.customers")
    resync.add_argument("--from", dest="since", type=_moment, help="purchases only: first moment (ISO 8601, UTC)")
    verbs.add_parser("rekey", help="rewrite encrypted fields with the first of KEZHI_FIELD_KEYS")
    verbs.add_parser("openapi", help="print the OpenAPI document")
    return parser


def _settings(service: Service) -> Settings:
    settings = Settings.from_environment(service.name)
    make_engine(settings).dispose()  # connects to nothing; a malformed URL or key shows here
    return settings


def _migrate(service: Service, _: argparse.Namespace) -> None:
    from chassis.founding import found  # noqa: PLC0415 - each verb pays for its own imports
    from chassis.messaging.topology import declare  # noqa: PLC0415
    from chassis.runtime import start_runtime  # noqa: PLC0415

    settings = _settings(service)
    migrate(service, settings.database_url)
    declare(settings.amqp_url, BrokerNames(settings.instance), service, settings.partitions)
    for word in found(start_runtime(service, settings), settings.policy_dir):
        print(word)


def _work(service: Service, parsed: argparse.Namespace) -> None:
    from chassis.runtime import start_runtime  # noqa: PLC0415
    from chassis.worker import Worker  # noqa: PLC0415

    roles = frozenset(role.strip() for part in parsed.only for role in part.split(",") if role.strip())
    try:
        worker = Worker(start_runtime(service, _settings(service)), roles)
    except ValueError as unknown:
        raise Misconfigured(str(unknown)) from None
    worker.run()


def _resync(service: Service, parsed: argparse.Namespace) -> None:
    from chassis.messaging.resync import republish, republish_purchases  # noqa: PLC0415
    from chassis.messaging.retention import BODIES_KEPT  # noqa: PLC0415
    from chassis.runtime import start_runtime  # noqa: PLC0415

    runtime = start_runtime(service, _settings(service))
    if parsed.snapshot == "purchases":
        since = parsed.since or runtime.clock.now() - BODIES_KEPT
        total = republish_purchases(runtime, since, parsed.queue)
    else:
        total = republish(runtime, parsed.snapshot, parsed.queue)
    print(f"{total:,} events republished to {parsed.queue}")


def _moment(text: str) -> datetime:
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _rekey(service: Service, _: argparse.Namespace) -> None:
    sessions = sessionmaker(make_engine(_settings(service)))
    for column in encrypted_columns():
        print(f"{column.table}.{column.name}: {rekey(sessions, column)} rewritten")


def _openapi(service: Service, _: argparse.Namespace) -> None:
    from chassis.web.app import openapi_document  # noqa: PLC0415

    print(orjson.dumps(openapi_document(service), option=orjson.OPT_INDENT_2).decode())


def _serve(service: Service, _: argparse.Namespace) -> None:
    from chassis.http_server import serve  # noqa: PLC0415

    serve(service, _settings(service))


def _in_one_line(failure: Exception) -> str | None:
    """What to tell the operator of a failure that is theirs to mend; None for one that is ours."""
    from chassis.messaging.broker import NotTaken  # noqa: PLC0415
    from chassis.messaging.topology import TopologyMismatch  # noqa: PLC0415

    match failure:
        case EnvError() | NoFieldKeys() | TopologyMismatch() | Misconfigured() | Refusal() | NotTaken():
            reason = str(failure)
        case ArgumentError():
            reason = "KEZHI_DATABASE_URL is no database URL; write postgresql://user:password@host:5432/database"
        case OperationalError():
            reason = f"the database does not answer: {str(failure.orig).splitlines()[0]}"
        case ConnectionError() | socket.gaierror() | TimeoutError():
            reason = f"the broker does not answer at KEZHI_AMQP_URL: {failure}"
        case _:
            return None
    return " ".join(reason.split())

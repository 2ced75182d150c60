"""What the embedded broker raises: the exceptions that kombu's users know from RabbitMQ, and nothing of psycopg's."""

from __future__ import annotations

import amqp
import psycopg
from amqp.exceptions import NotFound, PreconditionFailed, RecoverableConnectionError


class BrokerAway(ConnectionError):
    """The database that holds the broker does not answer, or refused; connect again, later."""


class LeaseLost(RecoverableConnectionError):
    """What was held is not held any more: this process was taken for dead. Nothing was acknowledged."""


_NO_TABLES = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName)


def as_trouble(error: psycopg.Error) -> Exception:
    """psycopg's error as one of ours."""
    text = str(error).strip().partition("\nCONTEXT")[0]
    if error.sqlstate == "KZ001":
        return LeaseLost(text)
    if error.sqlstate == "KZ404":
        return NotFound(f"NOT_FOUND - {text}", (0, 0), "", 404)
    if error.sqlstate == "KZ406":
        return PreconditionFailed(f"PRECONDITION_FAILED - {text}", (0, 0), "", 406)
    if isinstance(error, _NO_TABLES):
        return BrokerAway(f"this database holds no embedded broker ({text}); `kezhi up` makes its tables")
    return BrokerAway(text or type(error).__name__)


def not_found(what: str) -> amqp.AMQPError:
    return NotFound(f"NOT_FOUND - {what}", (0, 0), "", 404)


def refused(why: str) -> amqp.AMQPError:
    return PreconditionFailed(f"PRECONDITION_FAILED - {why}", (0, 0), "", 406)

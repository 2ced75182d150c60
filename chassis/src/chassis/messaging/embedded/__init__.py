"""The embedded broker: what we use of RabbitMQ, in a PostgreSQL database of its own. For evaluation and small shops.

A message is a row that was committed before it was confirmed; to consume is to lease rows; a lease ends with the
process that holds it. Everything speaks to it as to RabbitMQ, through kombu, under the URL
``kezhi+postgresql://user:password@host:port/database``; importing this package is what makes kombu know it.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES

SCHEME = "kezhi"

TRANSPORT_ALIASES.setdefault(SCHEME, "chassis.messaging.embedded.transport:Transport")


def is_embedded(url: str) -> bool:
    """Whether a broker's URL means the embedded one."""
    return url.startswith(f"{SCHEME}+postgresql:")


def prepare_database(url: str) -> None:
    """Make or upgrade the broker's tables in a database that exists; ``url``'s user must own it. Repeatable.

    Raises OSError when the database does not answer.
    """
    from chassis.messaging.embedded.schema import prepare  # noqa: PLC0415 - most who import this only know the name

    prepare(url)


__all__ = ["SCHEME", "is_embedded", "prepare_database"]

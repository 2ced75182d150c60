"""Short looks at the broker, for commands."""

from __future__ import annotations

import pika


def connect(url: str) -> pika.BlockingConnection:
    """A connection for looking. Raises pika's AMQPError or OSError.

    A URL that ends in ``//`` means the default virtual host everywhere but in pika.
    """
    parameters = pika.URLParameters(url)
    parameters.virtual_host = parameters.virtual_host or "/"
    parameters.socket_timeout = 10
    return pika.BlockingConnection(parameters)


def username(url: str) -> str:
    """Who the URL signs in as."""
    return str(pika.URLParameters(url).credentials.username)

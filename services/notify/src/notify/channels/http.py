"""One POST that goes where it was checked to go: no second look-up of the name, no redirect, no proxy, a deadline, a
limit to what is read.

The standard library's client is used on a socket of our own, so that between the check of an address and the
connection there is nothing that could look the name up again (DNS rebinding).
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from notify.channels.addresses import Reach, Target
from notify.channels.deadline import Deadline

LONGEST_ANSWER = 64 * 1024  # bytes that are read of an answer


class NoAnswer(Exception):
    """The other side could not be asked, or did not answer in time. ``asked``: it may have read the request."""

    def __init__(self, reason: str, *, asked: bool) -> None:
        super().__init__(reason)
        self.asked = asked


@dataclass(frozen=True)
class Answer:
    """What came back, as far as it is read."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    reach: Reach,
    timeout: timedelta,
    method: str = "POST",
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request. Raises Refused for an address that may not be asked, NoAnswer when none came."""
    address = reach.check(target, _look_up(target))
    with Deadline(timeout) as deadline:
        client = http.client.HTTPConnection(target.host, target.port)
        client.sock = _connect(target, address, timeout, deadline, tls)
        try:
            client.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": target.authority, "User-Agent": "kezhi-notify", **headers}.items():
                client.putheader(name, value)
            client.putheader("Content-Length", str(len(body)))
            client.putheader("Connection", "close")
            client.endheaders(body)
            response = client.getresponse()
            known = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, known, response.read(LONGEST_ANSWER))
        except (OSError, http.client.HTTPException) as broken:
            raise NoAnswer(_silence(broken, deadline), asked=True) from broken
        finally:
            client.close()
        if deadline.over:  # what was cut off looks like a shorter answer
            raise NoAnswer("no answer in time", asked=True)
        return answer


def _look_up(target: Target) -> list[str]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as unknown:
        raise NoAnswer("the name of the host can't be resolved", asked=False) from unknown
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _connect(
    target: Target, address: str, timeout: timedelta, deadline: Deadline, tls: ssl.SSLContext | None
) -> socket.socket:
    try:
        connection = socket.create_connection((address, target.port), timeout.total_seconds())
        deadline.watch(connection)
        if not target.tls:
            return connection
        return (tls or ssl.create_default_context()).wrap_socket(connection, server_hostname=target.host)
    except OSError as broken:  # ssl.SSLError is one
        raise NoAnswer(f"can't connect: {_silence(broken, deadline)}", asked=False) from broken


def _silence(broken: Exception, deadline: Deadline) -> str:
    return "no answer in time" if deadline.over or isinstance(broken, TimeoutError) else type(broken).__name__

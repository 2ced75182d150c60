"""Reading AMQP frames so that no message can stop the reader.

py-amqp raises while it reads a header it can't decode (bytes that are no UTF-8 in ``message_id``, a timestamp beyond
the year 9999). The exception ends the connection, the broker redelivers, and one such message would stop a queue for
as long as it lies there. Here it becomes a message with ``damage``, which the consumer dead-letters with that reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from struct import unpack_from
from typing import Any

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import UnexpectedFrame

_WITH_CONTENT = frozenset({spec.Basic.Return, spec.Basic.Deliver, spec.Basic.GetOk})
_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8


def damage_of(wrong: Exception) -> str:
    """What to say of a message whose properties could not be read."""
    return f"The message's AMQP properties can't be read: {type(wrong).__name__}: {wrong}"[:500] + "."


class TolerantMessage(Message):
    """A message whose properties may be unreadable; ``damage`` then says why."""

    damage: str | None = None

    def inbound_header(self, buf: bytes, offset: int = 0) -> int:
        class_id, self.body_size = unpack_from(">HxxQ", buf, offset)
        try:
            self._load_properties(class_id, buf, offset + 12)
        except Exception as wrong:  # whatever a header does to the decoder, it is the header's fault
            self.properties: dict[str, Any] = {}
            self.damage = damage_of(wrong)
        if not self.body_size:
            self.ready = True
        return offset + 12


def tolerant_frames(connection: Any, callback: Callable[..., Any]) -> Callable[[tuple[int, int, bytes]], bool]:
    """A frame handler for ``amqp.Connection(frame_handler=…)``; True when a method was dispatched."""
    expected: defaultdict[int, int] = defaultdict(lambda: _METHOD)
    partial: dict[int, TolerantMessage] = {}

    def on_frame(frame: tuple[int, int, bytes]) -> bool:
        kind, channel, buffer = frame
        connection.bytes_recv += 1
        if kind == _HEARTBEAT:
            return False
        if kind != expected[channel]:
            raise UnexpectedFrame(f"received frame {kind} while expecting {expected[channel]}")
        if kind == _METHOD:
            signature = unpack_from(">HH", buffer, 0)
            if signature in _WITH_CONTENT:
                partial[channel] = TolerantMessage(frame_method=signature, frame_args=buffer)
                expected[channel] = _HEADER
                return False
            callback(channel, signature, buffer, None)
            return True
        message = partial[channel]
        if kind == _HEADER:
            message.inbound_header(buffer)
        else:
            message.inbound_body(buffer)
        if not message.ready:
            expected[channel] = _BODY
            return False
        expected[channel] = _METHOD
        del partial[channel]
        callback(channel, message.frame_method, message.frame_args, message)
        return True

    return on_frame

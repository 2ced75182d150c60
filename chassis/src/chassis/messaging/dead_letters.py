"""Dead letters: what no retry could help, kept in a table until a person replays or drops it (decision 7).

The collector moves ``<queue>.dead`` into the table and acknowledges after its commit. A letter's id follows from its
queue and body, so that one that is collected twice, or dies again after a replay, is one row with a count.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

import orjson
import structlog
from sqlalchemy import LargeBinary, Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.errors import Conflict, NotFound, Unavailable
from chassis.ids import derived_id
from chassis.messaging import broker, metrics, topology
from chassis.messaging.broker import BROKER_TROUBLE, Outgoing, Publisher
from chassis.messaging.incoming import ATTEMPTS, FIRST_ERROR, QUEUE, REASON, Incoming
from chassis.people.guard import HiddenFrom, Viewer, as_columns
from chassis.runtime import Context, Runtime
from chassis.storage.schema import ChassisBase

log = structlog.get_logger(__name__)

_OUR_NOTES = (ATTEMPTS, REASON, FIRST_ERROR, QUEUE)
_PREFETCH = 200
_LONGEST_BACKOFF = 10.0


class DeadLetter(HiddenFrom, ChassisBase):
    """A message that was not taken: ``waiting`` for a person, ``replayed`` or ``dropped`` by one.

    What its body says of ``hidden_from`` holds for the letter as well (decision 13).
    """

    __tablename__ = "dead_letter"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    queue: Mapped[str]
    source: Mapped[str | None]
    event_id: Mapped[str | None]
    type: Mapped[str | None]
    publisher: Mapped[str | None]
    content_type: Mapped[str | None]
    reason: Mapped[str]
    first_error: Mapped[str | None]
    attempts: Mapped[int]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    status: Mapped[str] = mapped_column(server_default="waiting")
    times: Mapped[int] = mapped_column(server_default="1")
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    note: Mapped[str | None]


def listing(
    status: str | None = None, queue: str | None = None, type: str | None = None, viewer: Viewer | None = None
) -> Select[Any]:
    """The letters, to be ordered by ``last_at`` and ``id``, newest first; without their bodies.

    ``viewer`` None: the operator at the machine, who sees all.
    """
    statement = select(DeadLetter)
    if viewer is not None:
        statement = statement.where(viewer.sees(DeadLetter))
    for column, wanted in ((DeadLetter.status, status), (DeadLetter.queue, queue), (DeadLetter.type, type)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return statement


def find(session: Session, letter_id: uuid.UUID, viewer: Viewer | None = None) -> DeadLetter:
    """One letter. Raises NotFound, also for what is hidden from the viewer."""
    letter = session.get(DeadLetter, letter_id)
    if letter is None or (viewer is not None and not viewer.may_see_row(letter)):
        raise NotFound("There is no such dead letter.")
    return letter


def replay(
    context: Context, letter_ids: Sequence[uuid.UUID], by: str, viewer: Viewer | None = None
) -> list[DeadLetter]:
    """Send letters to the queue they came from, with their attempts forgotten; returns the letters, in order.

    A letter that was replayed already stays so: repeating a replay has no second effect, and neither has a crash
    between publish and commit, because the inbox absorbs the copy. Raises NotFound, Conflict for a dropped one,
    Unavailable when the broker did not confirm.
    """
    letters = _locked(context.session, letter_ids, viewer)
    for letter in letters:
        if letter.status == "dropped":
            raise Conflict("A dropped dead letter can't be replayed.", state=letter.status, letter=str(letter.id))
    waiting = [letter for letter in letters if letter.status == "waiting"]
    publisher = Publisher(context.runtime.settings.amqp_url)
    try:
        publisher.publish([_outgoing(letter) for letter in waiting])
    except BROKER_TROUBLE as trouble:
        raise Unavailable(f"The broker did not take the letters: {trouble}") from trouble
    finally:
        publisher.close()
    for letter in waiting:
        _decide(letter, "replayed", context, by, None)
    return letters


def drop(
    context: Context, letter_ids: Sequence[uuid.UUID], by: str, reason: str, viewer: Viewer | None = None
) -> list[DeadLetter]:
    """Give letters up for good, with the reason why that is right. Raises NotFound, Conflict for a replayed one."""
    letters = _locked(context.session, letter_ids, viewer)
    for letter in letters:
        if letter.status == "replayed":
            raise Conflict("A replayed dead letter can't be dropped.", state=letter.status, letter=str(letter.id))
        if letter.status == "waiting":
            _decide(letter, "dropped", context, by, reason)
    return letters


def _locked(session: Session, letter_ids: Sequence[uuid.UUID], viewer: Viewer | None) -> list[DeadLetter]:
    rows = session.scalars(
        select(DeadLetter).where(DeadLetter.id.in_(letter_ids)).order_by(DeadLetter.id).with_for_update()
    )
    found = {letter.id: letter for letter in rows if viewer is None or viewer.may_see_row(letter)}
    if missing := [str(letter_id) for letter_id in letter_ids if letter_id not in found]:
        raise NotFound(f"There is no dead letter {missing[0]}.")
    return [found[letter_id] for letter_id in dict.fromkeys(letter_ids)]


def _decide(letter: DeadLetter, status: str, context: Context, by: str, note: str | None) -> None:
    letter.status, letter.note = status, note
    letter.decided_at, letter.decided_by = context.clock.now(), by


def _outgoing(letter: DeadLetter) -> Outgoing:
    headers = {name: value for name, value in letter.headers.items() if name not in _OUR_NOTES}
    return Outgoing(
        letter.queue, letter.body, letter.content_type, letter.event_id if _short(letter.event_id) else None, headers
    )


class Collector:
    """Moves the dead queues of one service's subscriptions into the table."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._buffers: deque[tuple[str, Incoming]] = deque()
        names, service = runtime.names, runtime.service
        self.queues = [topology.dead_queue(names, service.name, subscription) for subscription in service.subscriptions]

    def run(self, stop: threading.Event) -> None:
        """Collect until ``stop``; waits for a broker or database that is away."""
        backoff = 0.2
        while not stop.is_set():
            try:
                self._collect(stop)
                backoff = 0.2
            except (*BROKER_TROUBLE, SQLAlchemyError) as trouble:
                log.warning("dead letters wait", error=str(trouble), again_in=backoff)
                stop.wait(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)

    def _collect(self, stop: threading.Event) -> None:
        connection = broker.connect(self.runtime.settings.amqp_url)
        self._buffers.clear()
        try:
            channel = connection.channel()
            for queue in self.queues:
                broker.subscribe(channel, queue, partial(self._take, queue), _PREFETCH)
            unrouted = connection.channel()
            while not stop.is_set():
                broker.drain(connection, 1.0, enough=lambda: len(self._buffers) >= _PREFETCH)
                if self._buffers:
                    batch = [self._buffers.popleft() for _ in range(len(self._buffers))]
                    self._keep(batch)
                    channel.basic_ack(max(incoming.tag for _, incoming in batch), multiple=True)
                found = unrouted.queue_declare(topology.unrouted_queue(self.runtime.names), passive=True)
                metrics.UNROUTED.set(found.message_count)
                connection.heartbeat_check()
        except BaseException:
            connection.collect()
            raise
        connection.release()

    def _take(self, queue: str, incoming: Incoming) -> None:
        self._buffers.append((queue, incoming))

    def _keep(self, batch: Sequence[tuple[str, Incoming]]) -> None:
        with self.runtime.sessions.begin() as session:
            keep(session, batch)
        for queue, _ in batch:
            metrics.DEAD_LETTERS.labels(queue).inc()


def keep(session: Session, batch: Sequence[tuple[str, Incoming]]) -> None:
    """Write messages of dead queues into the table; a letter that is there already waits again."""
    now = session.info["clock"].now()
    rows = {row["id"]: row for row in (_row(queue, incoming, now) for queue, incoming in batch)}
    statement = insert(DeadLetter)
    again = {name: statement.excluded[name] for name in ("reason", "attempts", "last_at", "headers", "first_error")}
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                **again, "times": DeadLetter.times + 1, "status": "waiting",
                "decided_at": None, "decided_by": None, "note": None,
            },
        ),
        [rows[key] for key in sorted(rows)],
    )  # fmt: skip


def _row(dead: str, incoming: Incoming, now: datetime) -> dict[str, Any]:
    headers = broker.carried(incoming.headers)
    deaths = incoming.headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    queue = str(headers.get(QUEUE) or death.get("queue") or dead.removesuffix(".dead"))
    reason = headers.get(REASON) or incoming.damage or _brokers_reason(str(death.get("reason", "")))
    document = _document(incoming.body)
    source, event_id, type_ = _identity(document)
    return {
        "id": derived_id(queue, sha256(incoming.body).hexdigest(), "dead-letter"),
        "queue": _clean(queue),
        "source": source,
        "event_id": event_id or _clean(incoming.message_id),
        "type": type_,
        "publisher": _clean(incoming.publisher[1] or incoming.publisher[0]),
        "content_type": _clean(incoming.content_type),
        "reason": _clean(str(reason)),
        "first_error": _clean(incoming.first_error),
        "attempts": incoming.attempts,
        "headers": {_clean(name): _clean(_text(value)) for name, value in headers.items()},
        "body": incoming.body,
        "first_at": now,
        "last_at": now,
        **as_columns(_hidden_from(document)),
    }


def _brokers_reason(word: str) -> str:
    if word == "delivery_limit":
        limit = topology.DELIVERY_LIMIT
        return f"The broker delivered it more than {limit} times without an answer: its consumer died of it."
    return f"The broker dead-lettered it ({word or 'no reason given'})."


def _document(body: bytes) -> dict[str, Any]:
    """The body, where it can be read at all."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _identity(document: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """What the letter says it is."""
    source, event_id, type_ = (document.get(name) for name in ("source", "id", "type"))
    return tuple(_clean(value[:512]) if isinstance(value, str) else None for value in (source, event_id, type_))  # type: ignore[return-value]


def _hidden_from(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Whom the letter must be hidden from; a name that came without its half is taken at its word."""
    data = document.get("data")
    said = data.get("hidden_from") if isinstance(data, dict) else None
    named = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    return [
        {"staff": _clean(each["staff"]), "with_subordinates": each.get("with_subordinates") is not False}
        for each in named
        if isinstance(each.get("staff"), str)
    ]


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _clean(value: Any) -> Any:
    """PostgreSQL stores no NUL and no half of a character."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode().replace("\x00", "�")


def _short(text: str | None) -> bool:
    return text is not None and len(text.encode()) <= 255

"""A channel of the embedded broker: what kombu and we ask of a RabbitMQ channel, answered by the database.

What makes sure that nothing is lost: a publish is confirmed after its commit; a delivery is a lease until it is
acknowledged, refused or given back; an error closes the channel, and what it held goes back to its place.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from amqp.exceptions import ChannelError, RecoverableChannelError
from kombu.transport import base, pyamqp

from chassis.messaging.embedded.declaring import Declaring
from chassis.messaging.embedded.messages import Delivered, Taken, message_of
from chassis.messaging.embedded.publishing import Publishing
from chassis.messaging.embedded.store import Store
from chassis.messaging.embedded.trouble import refused

if TYPE_CHECKING:
    from chassis.messaging.embedded.transport import Connection

_UNBOUNDED = 1000  # messages leased at once by a consumer that asked for no limit


class Held(NamedTuple):
    """A delivery that waits for its acknowledgement."""

    consumer: Consumer
    message: int


class Consumer:
    """One lease holder of one queue: a consumer, or what ``basic_get`` takes."""

    def __init__(
        self, channel: Channel, holder: int, queue: int, tag: str | None, prefetch: int, no_ack: bool, callback: Any
    ) -> None:
        self.channel = channel
        self.holder = holder
        self.queue = queue
        self.tag = tag
        self.prefetch = prefetch
        self.no_ack = no_ack
        self.callback = callback
        self.ready: deque[Taken] = deque()  # leased, not yet delivered
        self.unsettled = 0
        self.may_have_more = True
        self.cancelled = False

    def news(self) -> None:
        """Something may lie in the queue; called by the session's thread."""
        self.may_have_more = True
        self.channel.connection.wake.set()

    @property
    def room(self) -> int:
        """How many more messages it may hold."""
        if not self.prefetch:
            return _UNBOUNDED if not self.ready else 0
        return self.prefetch - self.unsettled - len(self.ready)


class Channel(Publishing, Declaring, base.StdChannel):
    """One conversation with the broker. Used by one thread."""

    Message: Any = pyamqp.Message
    prepare_queue_arguments = pyamqp.Channel.prepare_queue_arguments
    prepare_message = pyamqp.Channel.prepare_message
    message_to_python = pyamqp.Channel.message_to_python

    def __init__(self, connection: Connection, number: int) -> None:
        super().__init__(connection.hub)
        self.connection: Any = connection
        self.channel_id = number
        self.is_open = True
        self.auto_decode = False
        self.no_ack_consumers: set[str] = set()  # type: ignore[assignment]
        self._prefetch = 0
        self._consumers: dict[str, Consumer] = {}
        self._getters: dict[str, Consumer] = {}  # by the queue's name
        self._gone: dict[int, Consumer] = {}  # cancelled ones that may still hold something
        self._held: dict[int, Held] = {}  # delivery tag → what waits for its acknowledgement, oldest first
        self._tag = 0

    # --- consuming

    def basic_qos(self, prefetch_size: int, prefetch_count: int, a_global: bool = False) -> None:
        """How many unacknowledged messages each consumer that subscribes from now on may have; 0: no limit."""
        self._prefetch = prefetch_count

    def basic_consume(
        self, queue: str = "", consumer_tag: str = "", no_local: bool = False, no_ack: bool = False,
        exclusive: bool = False, nowait: bool = False, callback: Callable[[Any], None] | None = None,
        arguments: Any = None, on_cancel: Any = None, **_: Any,
    ) -> str:  # fmt: skip
        """Consume a queue; ``drain_events`` calls back. Raises NotFound."""
        tag = consumer_tag or f"ctag-{uuid.uuid4().hex}"
        consumer = self._consumer(queue, tag, self._prefetch, no_ack, callback)
        self._consumers[tag] = consumer
        if no_ack:
            self.no_ack_consumers.add(tag)
        with self._guarded():
            self._hub.session().listen(consumer.queue, consumer)
        return tag

    def basic_cancel(self, consumer_tag: str, nowait: bool = False, **_: Any) -> None:
        """Consume no more; what was delivered can still be acknowledged, what was not goes back."""
        consumer = self._consumers.pop(consumer_tag, None)
        if consumer is None:
            return
        consumer.cancelled = True
        self.no_ack_consumers.discard(consumer_tag)
        self._hub.session().unlisten(consumer.queue, consumer)
        self._gone[consumer.holder] = consumer
        self._give_back(consumer, [taken.id for taken in consumer.ready])
        consumer.ready.clear()

    def basic_get(self, queue: str = "", no_ack: bool = False, **_: Any) -> Delivered | None:
        """One message, or None. Raises NotFound."""
        if no_ack:
            with self._lent() as store:
                popped = store.pop(queue)
            self._tag += 1
            return None if popped is None else message_of(popped, self._tag, None, self)
        getter = self._getters.get(queue)
        if getter is None:
            getter = self._getters[queue] = self._consumer(queue, None, 0, True, None)
        with self._lent() as store:
            found = store.take(getter.holder, 1)
        return self._message(getter, found[0], held=True) if found else None

    def take(self) -> bool:
        """Fetch for the consumers that have room; whether one has something to be delivered now."""
        for consumer in list(self._consumers.values()):
            room = consumer.room
            if consumer.may_have_more and room > 0 and not consumer.ready:
                consumer.may_have_more = False  # before we look: what is announced meanwhile must not be forgotten
                with self._lent() as store:
                    taken = store.take(consumer.holder, room)
                    if consumer.no_ack and taken:
                        store.settle(consumer.holder, consumer.queue, [one.id for one in taken])
                consumer.ready.extend(taken)
                if len(taken) == room:
                    consumer.may_have_more = True
        return any(consumer.ready for consumer in self._consumers.values())

    def deliver(self) -> bool:
        """Call back with one message; whether there was one. Consumers take turns."""
        for tag, consumer in list(self._consumers.items()):
            if consumer.ready:
                if len(self._consumers) > 1:
                    self._consumers[tag] = self._consumers.pop(tag)
                consumer.callback(self._message(consumer, consumer.ready.popleft(), held=not consumer.no_ack))
                return True
        return False

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """These are done with. Raises LeaseLost when one of them is no longer ours: then none is acknowledged."""
        for consumer, tags in self._named(delivery_tag, multiple):
            with self._lent() as store:
                store.settle(consumer.holder, consumer.queue, [self._held[tag].message for tag in tags])
            self._settled(consumer, tags)

    def basic_reject(self, delivery_tag: int, requeue: bool) -> None:
        """Give one back to its place, or refuse it for good: to the dead letters."""
        self.basic_nack(delivery_tag, False, requeue)

    def basic_nack(self, delivery_tag: int, multiple: bool = False, requeue: bool = True) -> None:
        """The same for several."""
        for consumer, tags in self._named(delivery_tag, multiple):
            messages = [self._held[tag].message for tag in tags]
            self._settled(consumer, tags)
            if requeue:
                self._give_back(consumer, messages)
            else:
                with self._lent() as store:
                    store.announce(store.reject(consumer.holder, consumer.queue, messages))

    def basic_recover(self, requeue: bool = True) -> None:
        """Give back everything that is not acknowledged."""
        if self._held:
            self.basic_nack(max(self._held), multiple=True, requeue=True)

    # --- life

    def close(self) -> None:
        """Publish what was gathered, give back what is held."""
        if not self.is_open:
            return
        try:
            self.flush()
            if holders := self._leave():
                with self._hub.lent() as store:
                    store.announce(store.leave(holders))
        finally:
            self.collect()

    def collect(self) -> None:
        """Close without a farewell."""
        if self.is_open:
            self.is_open = False
            self._start_over()
            self.connection.channels.pop(self.channel_id, None)

    def _start_over(self) -> None:
        """Forget publishes and consumers; what is held is freed by the process's own thread."""
        self._forget_window()
        if holders := self._leave():
            self._hub.abandon(holders)

    def _leave(self) -> list[int]:
        """Forget every consumer; answers what they hold their leases by."""
        if self._consumers and self._hub.broken is None:
            for consumer in self._consumers.values():
                self._hub.session().unlisten(consumer.queue, consumer)
        mine = [*self._consumers.values(), *self._getters.values(), *self._gone.values()]
        self._consumers.clear()
        self._getters.clear()
        self._gone.clear()
        self._held.clear()
        return [consumer.holder for consumer in mine]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What RabbitMQ answers by closing the channel makes it start over, as py-amqp's does; all else closes it."""
        self._check_open()
        try:
            yield
        except ChannelError:
            self._start_over()
            raise
        except Exception:
            self.collect()
            raise

    @contextmanager
    def _lent(self) -> Iterator[Store]:
        with self._guarded(), self._hub.lent() as store:
            yield store

    def _check_open(self) -> None:
        if not self.is_open:
            raise RecoverableChannelError("the channel is closed")

    def _fail(self, error: Exception) -> NoReturn:
        self._start_over()
        raise error

    def _consumer(self, queue: str, tag: str | None, prefetch: int, no_ack: bool, callback: Any) -> Consumer:
        with self._lent() as store:
            queue_id = self._queue_id(store, queue)
        with self._guarded():
            session = self._hub.session()
        with self._lent() as store:
            holder = store.hold(session.id, queue_id)
        return Consumer(self, holder, queue_id, tag, prefetch, no_ack, callback)

    def _message(self, consumer: Consumer, taken: Taken, held: bool) -> Delivered:
        self._tag += 1
        if held:
            self._held[self._tag] = Held(consumer, taken.id)
            consumer.unsettled += 1
        return message_of(taken, self._tag, consumer.tag, self)

    def _named(self, tag: int, multiple: bool) -> list[tuple[Consumer, list[int]]]:
        """The deliveries that an answer speaks of, by consumer."""
        self._check_open()
        if multiple:
            tags = list(takewhile(lambda one: one <= tag or not tag, self._held))
        else:
            tags = [tag] if tag in self._held else []
        if not tags and tag:
            self._fail(refused(f"unknown delivery tag {tag}"))
        found: dict[int, tuple[Consumer, list[int]]] = {}
        for one in tags:
            consumer = self._held[one].consumer
            found.setdefault(consumer.holder, (consumer, []))[1].append(one)
        return list(found.values())

    def _settled(self, consumer: Consumer, tags: list[int]) -> None:
        for tag in tags:
            del self._held[tag]
        consumer.unsettled -= len(tags)

    def _give_back(self, consumer: Consumer, messages: list[int]) -> None:
        if messages:
            with self._lent() as store:
                store.announce(store.release(consumer.holder, consumer.queue, messages))

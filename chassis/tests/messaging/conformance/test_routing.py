"""A message reaches the queues whose bindings mean its routing key, each once, or the place for what nobody wants."""

from __future__ import annotations

from typing import Any

import pytest
from amqp.exceptions import AMQPError

pytestmark = pytest.mark.broker

# binding, routing keys that it means, routing keys that it does not
WORDS = [
    ("purchase.completed.v1", ["purchase.completed.v1"], ["purchase.completed", "purchase.completed.v1.x", ""]),
    ("purchase.#", ["purchase", "purchase.completed", "purchase.completed.v1"], ["purchases.v1", "", "x.purchase"]),
    ("purchase.*", ["purchase.completed", "purchase."], ["purchase", "purchase.completed.v1"]),
    ("*.completed.*", ["purchase.completed.v1"], ["completed.v1", "a.b.c"]),
    ("#.v1", ["v1", "purchase.v1", "purchase.completed.v1"], ["v1.x", "purchase.v10"]),
    ("a.#.z", ["a.z", "a.b.z", "a.b.c.z"], ["a", "z", "a.zz", "a.z.b"]),
    ("#", ["", "a", "a.b.c"], []),
    ("*", ["a"], ["", "a.b"]),
    ("#.#", ["", "a", "a.b"], []),
    ("a.+$.客", ["a.+$.客"], ["a.b.客", "a..客"]),
]


@pytest.mark.parametrize(("binding", "meant", "others"), WORDS, ids=[words[0] for words in WORDS])
def test_a_topic_binding_means_words(bench: Any, queue: str, binding: str, meant: list[str], others: list[str]) -> None:
    exchange = bench.exchange()
    bench.bind(queue, exchange, binding)

    for key in [*meant, *others]:
        bench.publish(exchange, key, key or "(empty)")

    assert bench.bodies(queue) == [key or "(empty)" for key in meant]


def test_a_queue_with_several_matching_bindings_gets_a_message_once(bench: Any, queue: str) -> None:
    exchange = bench.exchange()
    other = bench.queue("other")
    for key in ("purchase.#", "#.v1", "purchase.*.v1"):
        bench.bind(queue, exchange, key)
    bench.bind(other, exchange, "#")

    bench.publish(exchange, "purchase.completed.v1", "once")

    assert (bench.bodies(queue), bench.bodies(other)) == (["once"], ["once"])


def test_direct_and_fanout_exchanges(bench: Any, queue: str) -> None:
    direct, fanout = bench.exchange("direct", "direct"), bench.exchange("fanout", "fanout")
    bench.bind(queue, direct, "a.*")
    bench.bind(queue, fanout, "whatever")

    bench.publish(direct, "a.b", "no")
    bench.publish(direct, "a.*", "literally")
    bench.publish(fanout, "anything", "everything")

    assert bench.bodies(queue) == ["literally", "everything"]


def test_every_queue_is_bound_to_the_default_exchange_by_its_name(bench: Any, queue: str) -> None:
    bench.publish("", queue, "named")

    assert bench.bodies(queue) == ["named"]


def test_an_exchange_feeds_another(bench: Any, queue: str) -> None:
    first, second = bench.exchange("first"), bench.exchange("second")
    bench.channel().exchange_bind(second, first, "purchase.#")
    bench.bind(queue, second, "#.v1")

    bench.publish(first, "purchase.v1", "through both")
    bench.publish(first, "purchase.v2", "not this")
    bench.channel().exchange_unbind(second, first, "purchase.#")
    bench.publish(first, "purchase.v1", "no longer")

    assert bench.bodies(queue) == ["through both"]


def test_what_no_binding_means_goes_to_the_alternate_exchange(bench: Any, queue: str) -> None:
    unrouted = bench.exchange("unrouted")
    exchange = bench.exchange(alternate_exchange=unrouted)
    lost = bench.queue("lost")
    bench.bind(queue, exchange, "purchase.#")
    bench.bind(lost, unrouted, "#")
    publisher = bench.publisher()

    publisher.publish("wanted", exchange, "purchase.v1", mandatory=True)
    publisher.publish("misspelt", exchange, "purchse.v1", mandatory=True)
    publisher.settle()

    assert (bench.bodies(queue), bench.bodies(lost), publisher.returned) == (["wanted"], ["misspelt"], [])


def test_what_nobody_takes_is_returned_before_its_confirm_when_it_is_mandatory(bench: Any, queue: str) -> None:
    publisher = bench.publisher()

    publisher.publish("taken", "", queue, mandatory=True)
    publisher.publish("nobody", "", bench.name("nowhere"), mandatory=True)
    publisher.publish("nobody cares", "", bench.name("nowhere"))
    publisher.settle()

    assert publisher.returned == [("nobody", 312)]
    assert bench.bodies(queue) == ["taken"]


def test_a_binding_made_or_removed_elsewhere_counts_from_then_on(bench: Any, queue: str) -> None:
    exchange = bench.exchange()
    publisher = bench.publisher()

    for turn in range(3):
        bench.bind(queue, exchange, "key")
        publisher.publish(f"bound {turn}", exchange, "key")
        publisher.settle()
        bench.channel().queue_unbind(queue, exchange, "key")
        publisher.publish(f"unbound {turn}", exchange, "key", mandatory=True)
        publisher.settle()

    assert bench.bodies(queue) == ["bound 0", "bound 1", "bound 2"]
    assert len(publisher.returned) == 3


def test_publishing_to_an_exchange_that_is_not_there_is_an_error(bench: Any) -> None:
    publisher = bench.publisher()

    publisher.publish("lost", bench.name("missing"), "key")

    with pytest.raises(AMQPError, match="NOT_FOUND"):
        publisher.settle()

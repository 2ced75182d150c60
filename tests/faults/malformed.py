"""Bodies by the thousand that no consumer may accept, each with the class of reason it must be refused for.

Deterministic: the same seed yields the same bodies. Each starts from a right purchase with an id of its own
and is spoilt in one way, so that what a consumer says can be held against what was done to it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Any

from kezhi_contracts import events, schemas
from kezhi_contracts.publishing import CONTENT_TYPE

TYPE = "purchase.completed.v1"
SIZE_LIMIT = 1 << 20

Document = dict[str, Any]


class Reason(StrEnum):
    """Why a body must be refused; what a consumer says must fall into this class."""

    UNREADABLE = "no JSON text in UTF-8"
    NOT_AN_EVENT = "JSON, but no CloudEvent: no object, or an attribute is missing or wrong"
    UNKNOWN_VERSION = "an event type or version that has no schema here"
    SCHEMA = "data that the schema refuses"
    SUM = "lines that do not add up to the total"
    WINDOW = "occurred_at outside of what the source may say"
    CONTENT_TYPE = "a content type that is not application/cloudevents+json"
    TOO_LARGE = "more than 1 MiB"


@dataclass(frozen=True)
class Malformed:
    """One message to throw at a consumer."""

    body: bytes
    reason: Reason
    how: str  # what was done, e.g. "truncated"
    routing_key: str = TYPE
    content_type: str = CONTENT_TYPE
    message_id: str = ""


def malformed(count: int, *, seed: int = 0, source: str = "/pos/faults") -> Iterator[Malformed]:
    """``count`` refused messages; every way of spoiling comes equally often."""
    random = Random(seed)
    for number in range(count):
        reason, spoil = _WAYS[number % len(_WAYS)]
        event_id = f"malformed-{seed}-{number}"
        made = spoil(random, _right(event_id, source))
        how = spoil.__name__.strip("_").replace("_", " ")
        if isinstance(made, Malformed):
            yield Malformed(made.body, reason, how, made.routing_key, made.content_type, event_id)
        else:
            body = made if isinstance(made, bytes) else _dumped(made)
            yield Malformed(body, reason, how, message_id=event_id)


def _right(event_id: str, source: str) -> Document:
    document = schemas.example(TYPE)
    document.update(id=event_id, source=source)
    document["data"]["purchase_id"] = event_id
    return document


def _dumped(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


Spoil = Callable[[Random, Document], "bytes | Malformed | Document | list[Any] | str | int | None"]
_WAYS: list[tuple[Reason, Spoil]] = []


def _way(reason: Reason) -> Callable[[Spoil], Spoil]:
    def kept(spoil: Spoil) -> Spoil:
        _WAYS.append((reason, spoil))
        return spoil

    return kept


@_way(Reason.UNREADABLE)
def _empty(_random: Random, _document: Document) -> bytes:
    return b""


@_way(Reason.UNREADABLE)
def _truncated(random: Random, document: Document) -> bytes:
    body = _dumped(document)
    return body[: random.randrange(1, len(body) - 1)]


@_way(Reason.UNREADABLE)
def _invalid_utf8(random: Random, document: Document) -> bytes:
    return _dumped(document).replace(b"card", random.choice([b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8"]), 1)


@_way(Reason.UNREADABLE)
def _utf16(random: Random, document: Document) -> bytes:
    return json.dumps(document).encode(random.choice(["utf-16", "utf-16-be", "utf-16-le"]))


@_way(Reason.UNREADABLE)
def _unpaired_surrogate(_random: Random, document: Document) -> bytes:
    return json.dumps(document).encode().replace(b"8801", b"\\ud800", 1)


@_way(Reason.UNREADABLE)
def _not_a_number(random: Random, document: Document) -> bytes:
    return _dumped(document).replace(b'"256.00"', random.choice([b"NaN", b"Infinity", b"-Infinity", b"0x1F", b"01"]))


@_way(Reason.UNREADABLE)
def _trailing_garbage(random: Random, document: Document) -> bytes:
    return _dumped(document) + random.choice([b"}", b",", b"{}", b"\x00", b"garbage"])


@_way(Reason.UNREADABLE)
def _single_quotes(_random: Random, document: Document) -> bytes:
    return repr(document).encode()


@_way(Reason.UNREADABLE)
def _other_format(random: Random, document: Document) -> bytes:
    return random.choice(
        [
            b"<purchase><total>256.00</total></purchase>",
            b"purchase_id;total\r\n1;256.00\r\n",
            gzip.compress(_dumped(document), mtime=0),
            b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94.",
            random.randbytes(random.randrange(1, 400)) + b"\xff",
        ]
    )


@_way(Reason.UNREADABLE)
def _deeply_nested(random: Random, document: Document) -> bytes:
    depth = random.randrange(50_000, 100_000)
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    nested = opening * depth + b"1" + closing * depth
    return _dumped(document)[:-1] + b', "extra": ' + nested + b"}"


@_way(Reason.NOT_AN_EVENT)
def _no_object(random: Random, document: Document) -> list[Any] | str | int | None:
    return random.choice([None, 17, "purchase", [], [document], True, -1e308])


@_way(Reason.NOT_AN_EVENT)
def _missing_attribute(random: Random, document: Document) -> Document:
    del document[random.choice(["specversion", "id", "source", "type", "subject", "time", "data"])]
    return document


@_way(Reason.NOT_AN_EVENT)
def _wrong_attribute(random: Random, document: Document) -> Document:
    name = random.choice(["specversion", "id", "source", "type", "subject", "time"])
    document[name] = random.choice([None, 7, True, [], {}, "", "x" * 5_000, "a\x00b"])
    return document


@_way(Reason.NOT_AN_EVENT)
def _wrong_time(random: Random, document: Document) -> Document:
    document["time"] = _bad_instant(random)
    return document


@_way(Reason.NOT_AN_EVENT)
def _wrong_data(random: Random, document: Document) -> Document:
    document["data"] = random.choice([None, [], "256.00", 256, [document["data"]]])
    return document


@_way(Reason.UNKNOWN_VERSION)
def _unknown_version(random: Random, document: Document) -> Malformed:
    type_ = random.choice(
        ["purchase.completed.v2", "purchase.completed.v99", "purchase.completed", "purchase.voided.v1"]
    )
    document["type"] = type_
    return Malformed(_dumped(document), Reason.UNKNOWN_VERSION, "", routing_key=type_)


@_way(Reason.SCHEMA)
def _missing_field(random: Random, document: Document) -> Document:
    del document["data"][random.choice(["purchase_id", "occurred_at", "currency", "total"])]
    return document


@_way(Reason.SCHEMA)
def _wrong_type(random: Random, document: Document) -> Document:
    name = random.choice(["purchase_id", "occurred_at", "currency", "total"])
    document["data"][name] = random.choice([None, 256, 256.0, True, [], {}, [name], 10**400])
    return document


@_way(Reason.SCHEMA)
def _nul_character(random: Random, document: Document) -> Document:
    data = document["data"]
    name = random.choice(["purchase_id", "store", "channel", "seller", "payment"])
    data[name] = random.choice(["\x00", "a\x00", "\x00b", "a\x00b"])
    return document


@_way(Reason.SCHEMA)
def _wrong_money(random: Random, document: Document) -> Document:
    wrong = [
        "",
        " ",
        "256,00",
        "1e3",
        "١٢",
        "NaN",
        "Infinity",
        "+1",
        "1.",
        ".5",
        "0x10",
        "1 000.00",
        "256.00\n",
        "9" * 40,
    ]
    document["data"]["total"] = random.choice(wrong)
    return document


@_way(Reason.SCHEMA)
def _wrong_instant(random: Random, document: Document) -> Document:
    document["data"]["occurred_at"] = _bad_instant(random)
    return document


@_way(Reason.SCHEMA)
def _wrong_customer(random: Random, document: Document) -> Document:
    wrong: list[Any] = [
        {},
        [],
        "card:8801",
        8801,
        {"identity": "8801"},
        {"identity": ":"},
        {"identity": "card:"},
    ]
    wrong += [
        {"id": "8801"},
        {"id": None},
        {"identity": ["card:8801"]},
        {"identity": "card:\x00"},
        {"card": "8801"},
    ]
    document["data"]["customer"] = random.choice(wrong)
    return document


@_way(Reason.SCHEMA)
def _wrong_lines(random: Random, document: Document) -> Document:
    right = document["data"]["lines"][0]
    wrong: list[Any] = ["W-500", {}, {"0": right}, [1], [[right]], [None], [{"sku": "W-500"}]]
    wrong += [
        [{**right, "quantity": 24}],
        [{**right, "amount": "abc"}],
        [{**right, "sku": ""}],
        [right] * 5_001,
    ]
    document["data"]["lines"] = random.choice(wrong)
    return document


@_way(Reason.SUM)
def _wrong_sum(random: Random, document: Document) -> Document:
    document["data"]["total"] = random.choice(["0", "255.98", "256.02", "-256.00", "1000000.00"])
    return document


@_way(Reason.WINDOW)
def _outside_the_window(random: Random, document: Document) -> Document:
    year = random.choice([1970, 1999, 2001, 2010, 2100, 2500, 2999])
    document["data"]["occurred_at"] = f"{year}-06-{random.randrange(1, 29):02}T12:00:00+08:00"
    return document


@_way(Reason.CONTENT_TYPE)
def _wrong_content_type(random: Random, document: Document) -> Malformed:
    wrong = [
        "text/plain",
        "application/octet-stream",
        "application/x-python-serialize",
        "application/xml",
        "x" * 200,
    ]
    return Malformed(_dumped(document), Reason.CONTENT_TYPE, "", content_type=random.choice(wrong))


@_way(Reason.TOO_LARGE)
def _too_large(random: Random, document: Document) -> Document:
    document["data"]["note"] = "x" * (SIZE_LIMIT + random.randrange(1, 1_000))
    return document


def _bad_instant(random: Random) -> str:
    wrong = [
        "",
        "yesterday",
        "2026-11-21",
        "2026-11-21T09:30:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
    ]
    wrong += [
        "2026-11-21T24:01:00Z",
        "2026-11-21T09:30:00+99:00",
        "20261121T093000Z",
        "1795224600",
        "0000-00-00T00:00:00Z",
    ]
    wrong += ["2026-11-21 09:30", "2026-11-21T09:30:00Z\n", "-2026-11-21T09:30:00Z", "99999-01-01T00:00:00Z"]
    return random.choice(wrong)


def right(count: int, *, seed: int = 0, source: str = "/pos/faults") -> Iterator[Document]:
    """As many right purchases, to mix in: a consumer that refuses everything proves nothing."""
    when = datetime.now(UTC)
    for number in range(count):
        name = f"right-{seed}-{number}"
        yield events.purchase(
            source=source, purchase_id=name, occurred_at=when, identity=f"card:{number}", total="12.00"
        )

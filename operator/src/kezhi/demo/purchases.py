"""Twelve months of purchases and refunds as the tills and the online shop tell them.

A customer's purchases are a pure function of the seed, their number and the last day: each period is drawn anew from
the beginning and cut out, so that nothing of a hundred thousand customers is held between two periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from kezhi.demo.catalogue import Line, basket
from kezhi.demo.customers import SEED, Customer, customer
from kezhi.demo.model import Frequency, Season, Spending
from kezhi.demo.places import WEB, source_of

ZONE = ZoneInfo("Asia/Shanghai")
YEAR = 365  # days
OF_OLD = 0.2  # founders who began to buy in the half year before the first day: many of them have left again
ALL_BOUGHT = 0.25  # of the year: by then every other founder has bought for the first time
REFUNDED = 0.03  # of all purchases
LONGEST_RETURN = timedelta(days=7)
WHOLLY = 0.5  # of all refunds
FREQUENCY = {"individual": Frequency(), "enterprise": Frequency(pace=6.0), "institution": Frequency(pace=4.0)}
SPENDING = {"individual": Spending(), "enterprise": Spending(scale=26.0), "institution": Spending(scale=18.0)}
_OPEN = (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
_BUSY = (4, 7, 9, 8, 6, 6, 7, 8, 11, 13, 12, 9)
_PAYMENTS = ("wechat", "alipay", "card", "cash")
_REASONS = ("不想要了", "包装破损", "买错规格", "质量问题", "重复下单")


class Year:
    """The demo's year, and the one before it in which the founders began to buy; both end with ``last``."""

    def __init__(self, last: date) -> None:
        self.last = last
        self.first = last - timedelta(days=YEAR - 1)
        self.season = Season(last - timedelta(days=2 * YEAR - 1), last)
        self.start = self.season.share(YEAR)

    def share(self, passed: float) -> float:
        """The share of the season's trade that is done when this part of the demo's year has passed."""
        return self.season.share(YEAR * (1 + passed))


@dataclass(frozen=True)
class Sale:
    """One purchase: the ``number``-th of its customer."""

    customer: Customer
    number: int
    at: datetime
    store: str
    channel: str
    lines: tuple[Line, ...]
    payment: str

    @property
    def id(self) -> str:
        """As the till numbers it."""
        return f"{self.store}-{self.at:%Y%m%d}-{self.customer.card}-{self.number:03}"

    @property
    def total(self) -> Decimal:
        """What was paid."""
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True)
class Refund:
    """Money given back for all or some lines of a sale."""

    sale: Sale
    at: datetime
    lines: tuple[Line, ...]
    reason: str

    @property
    def total(self) -> Decimal:
        """What was given back."""
        return sum((line.amount for line in self.lines), Decimal(0))


def moments(one: Customer, year: Year, seed: int = SEED) -> Iterator[tuple[int, datetime]]:
    """When a customer buys, with each purchase's number; only what lies in the demo's year is told."""
    chance = Random(f"{seed}/moments/{one.number}")  # noqa: S311
    weeks = year.season.weeks
    begun = _began(one, year, chance)
    repeats = FREQUENCY[one.kind].repeats(chance, weeks * (1 - begun))
    for number, share in enumerate(chain((begun,), (begun + at / weeks for at in repeats)), 1):
        moment = year.season.moment(min(share, 1.0))
        if share >= year.start:
            yield number, _clocked(year.season.first + timedelta(days=int(min(moment, year.season.days - 1))), chance)


def _began(one: Customer, year: Year, chance: Random) -> float:
    """The share of the season at a customer's first purchase: after registering, of an old customer long before."""
    if not one.founder:
        return year.share(one.since)
    if chance.random() < OF_OLD:
        return year.start * (1 - chance.random() / 2)
    return year.share(chance.random() * ALL_BOUGHT)


def _clocked(day: date, chance: Random) -> datetime:
    hour = chance.choices(_OPEN, _BUSY)[0]
    return datetime.combine(day, time(hour, chance.randrange(60), chance.randrange(60)), ZONE)


def sale(one: Customer, number: int, at: datetime, seed: int = SEED) -> Sale:
    """What was bought then, where, and for how much."""
    own = SPENDING[one.kind].customer(Random(f"{seed}/spending/{one.number}"))  # noqa: S311
    chance = Random(f"{seed}/sale/{one.number}/{number}")  # noqa: S311
    lines = basket(chance, SPENDING[one.kind].basket(chance, own), one.taste)
    online = chance.random() < (0.3 if one.kind == "individual" else 0.15)
    store, channel = (WEB, "online") if online else (one.place.store, "store")
    return Sale(one, number, at, store, channel, tuple(lines), chance.choice(_PAYMENTS[: 2 if online else 4]))


def refund(sold: Sale, seed: int = SEED) -> Refund | None:
    """What was given back of a sale, some days later; of most sales nothing."""
    chance = Random(f"{seed}/refund/{sold.id}")  # noqa: S311
    if chance.random() >= REFUNDED:
        return None
    whole = len(sold.lines) == 1 or chance.random() < WHOLLY
    lines = sold.lines if whole else (chance.choice(sold.lines),)
    at = sold.at + timedelta(days=chance.randint(1, 6), minutes=chance.randint(-90, 90))
    return Refund(sold, at, lines, chance.choice(_REASONS))


def told(
    numbers: Iterable[int], year: Year, after: datetime, until: datetime, seed: int = SEED
) -> Iterator[dict[str, Any]]:
    """The events of these customers between two instants, each customer's in order."""
    for number in numbers:
        one = customer(number, seed)
        for ordinal, at in moments(one, year, seed):
            if at > until:
                break
            if at + LONGEST_RETURN <= after:
                continue
            sold = sale(one, ordinal, at, seed)
            if after < at:
                yield purchase_event(sold)
            given_back = refund(sold, seed)
            if given_back is not None and after < given_back.at <= until:
                yield refund_event(given_back)


def purchase_event(sold: Sale) -> dict[str, Any]:
    """``purchase.completed.v1`` of contract.md."""
    data = {
        "purchase_id": sold.id,
        "customer": {"identity": f"card:{sold.customer.card}"},
        "occurred_at": sold.at.isoformat(),
        "store": sold.store,
        "channel": sold.channel,
        "currency": "CNY",
        "total": str(sold.total),
        "lines": [_line(line, priced=True) for line in sold.lines],
        "payment": sold.payment,
    }
    return _event("purchase.completed.v1", sold, sold.id, sold.at, data)


def refund_event(given: Refund) -> dict[str, Any]:
    """``purchase.refunded.v1``."""
    identity = f"{given.sale.id}-R"
    data = {
        "refund_id": identity,
        "purchase_id": given.sale.id,
        "occurred_at": given.at.isoformat(),
        "total": str(given.total),
        "lines": [_line(line, priced=False) for line in given.lines],
        "reason": given.reason,
    }
    return _event("purchase.refunded.v1", given.sale, identity, given.at, data)


def _line(line: Line, priced: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"sku": line.product.sku, "quantity": str(line.quantity), "amount": str(line.amount)}
    if priced:
        told |= {
            "name": line.product.name, "category": line.product.category, "unit_price": str(line.product.price),
        }  # fmt: skip
    return told


def _event(kind: str, sold: Sale, id_: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": kind,
        "source": source_of(sold.store),
        "id": id_,
        "time": at.isoformat(),
        "subject": f"card:{sold.customer.card}",
        "partitionkey": f"card:{sold.customer.card}",
        "datacontenttype": "application/json",
        "data": data,
    }

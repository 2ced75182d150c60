"""What the storm publishes, and what must be true afterwards, both from one seed.

The pack of the storm gives no tier bonus and no birthday points, so that the expected points do not depend on the order
in which a torn-up network delivers (quality.md).
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

SOURCE = "/pos/storm"


@dataclass(frozen=True)
class Storm:
    """Messages in the order of publishing, and the facts to find afterwards."""

    messages: list[tuple[str, bytes]]  # (routing key, body)
    known_cards: list[str]
    late_cards: list[str]
    points: dict[str, int]  # card → expected points
    purchases: int  # distinct purchases
    refunds: int  # distinct refunds
    malformed: set[bytes]


def build(size: int, seed: int = 20261121, customers: int = 300) -> Storm:
    """``size`` purchases: 5 % twice, 2 % out of order, 1 % malformed, 3 % refunded, 1 % of late customers."""
    chance = random.Random(seed)
    known = [f"K{number:05}" for number in range(customers)]
    late = [f"L{number:05}" for number in range(max(3, customers // 20))]
    expected: dict[str, int] = defaultdict(int)
    now = datetime.now(UTC).replace(microsecond=0)
    queue: list[tuple[str, bytes]] = []
    refunds = 0
    for number in range(size):
        card = chance.choice(late) if chance.random() < 0.01 else chance.choice(known)
        at = now - timedelta(days=chance.randint(1, 300), seconds=chance.randint(0, 86_000))
        prices = [Decimal(chance.randint(1, 60)) for _ in range(chance.randint(1, 3))]
        total = sum(prices) + Decimal(chance.randint(0, 99)) / 100
        lines = [_line(index, price) for index, price in enumerate(prices)]
        lines[0]["amount"] = str(prices[0] + (total - sum(prices)))
        purchase = _event(
            "purchase.completed.v1",
            f"P{number}",
            card,
            at,
            {
                "purchase_id": f"STORM-{number}",
                "customer": {"identity": f"card:{card}"},
                "store": "SH001",
                "channel": "store",
                "currency": "CNY",
                "total": f"{total:.2f}",
                "lines": lines,
            },
        )
        queue.append(("purchase.completed.v1", purchase))
        expected[card] += int(total)
        if chance.random() < 0.03:
            refund = _event(
                "purchase.refunded.v1",
                f"R{number}",
                card,
                at + timedelta(hours=1),
                {
                    "refund_id": f"STORM-R{number}",
                    "purchase_id": f"STORM-{number}",
                    "total": f"{total:.2f}",
                    "lines": [],
                },
            )
            expected[card] -= int(total)
            refunds += 1
            # Sometimes the refund is out before its purchase.
            queue.insert(len(queue) - chance.choice((0, 1)), ("purchase.refunded.v1", refund))
        if chance.random() < 0.05:
            queue.insert(chance.randrange(max(1, len(queue) - 50), len(queue) + 1), ("purchase.completed.v1", purchase))
    malformed = [_break(chance, number) for number in range(size // 100)]
    for body in malformed:
        queue.insert(chance.randrange(len(queue)), ("purchase.completed.v1", body))
    for _ in range(len(queue) // 50):
        here = chance.randrange(len(queue) - 20)
        there = here + chance.randrange(20)
        queue[here], queue[there] = queue[there], queue[here]
    return Storm(queue, known, late, dict(expected), size, refunds, set(malformed))


def _line(index: int, price: Decimal) -> dict[str, str]:
    return {
        "sku": f"S{index}",
        "name": f"商品{index}",
        "category": "water",
        "quantity": "1",
        "unit_price": str(price),
        "amount": str(price),
    }


def _event(kind: str, event_id: str, card: str, at: datetime, data: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "type": kind,
            "source": SOURCE,
            "id": event_id,
            "time": at.isoformat(),
            "subject": f"card:{card}",
            "partitionkey": f"card:{card}",
            "datacontenttype": "application/json",
            "data": data | {"occurred_at": at.isoformat()},
        },
        ensure_ascii=False,
    ).encode()


def _break(chance: random.Random, number: int) -> bytes:
    whole = json.loads(
        _event(
            "purchase.completed.v1",
            f"M{number}",
            "K00000",
            datetime.now(UTC),
            {
                "purchase_id": f"BROKEN-{number}",
                "customer": {"identity": "card:K00000"},
                "currency": "CNY",
                "total": "1.00",
                "lines": [],
            },
        )
    )
    kind = chance.randrange(5)
    if kind == 0:
        return f"not json {number}".encode()
    if kind == 1:
        del whole["data"]["total"]
    elif kind == 2:
        whole["data"]["total"] = f"free {number}"
    elif kind == 3:
        del whole["source"]
        whole["note"] = number
    else:
        whole["type"] = "purchase.completed.v99"
    return json.dumps(whole).encode()

"""What points are exchanged for: how long its vouchers hold, how long a redemption may be undone.

The rewards themselves are a resource that marketing keeps; the pack says what holds for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import mapping, unless
from chassis.policies.units import Duration


@dataclass(frozen=True)
class Catalogue:
    """``vouchers_valid_for`` where a reward says nothing else; None: without an end, and cancelling at any time."""

    vouchers_valid_for: Duration | None = None
    cancel_within: Duration | None = None
    clause: str = ""
    gift_up_to: Decimal | None = None  # what one gift may be worth in company money; None: no cap


def read_catalogue(node: Node, company: Company) -> Catalogue:
    keys = mapping(node, ("vouchers_valid_for", "cancel_within"), ("gift_up_to",), clause=True)
    valid_for = unless(keys["vouchers_valid_for"], "ever", reading.span)
    cancel_within = unless(keys["cancel_within"], "any time", reading.span)
    gift_up_to = keys.read(
        "gift_up_to",
        lambda item: unless(item, "any worth", lambda cap: reading.money(cap, company.currency).value),
        None,
    )
    return Catalogue(valid_for, cancel_within, keys.clause, gift_up_to)

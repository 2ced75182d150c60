"""Two customers who are one, and are not: the registry's words about them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest


class Registry:
    """What the registry says of customers it merges and parts; cards are all the identities they have."""

    def __init__(self, programme: Any) -> None:
        self.programme = programme
        self.cards: dict[str, list[str]] = {}
        self.merges: dict[str, tuple[str, str, list[str]]] = {}

    def registers(self, card: str, **state: Any) -> str:
        customer = self.programme.enrol(card, **state)
        self.cards[customer] = [card]
        return str(customer)

    def merged(self, survivor: str, absorbed: str) -> tuple[str, dict[str, Any]]:
        """(merge id, event), untold."""
        merge_id = str(uuid.uuid4())
        was = self.cards[absorbed]
        self.cards[survivor] = [*self.cards[survivor], *was]
        self.cards[absorbed] = []
        self.merges[merge_id] = (survivor, absorbed, was)
        event = self.programme.customer_event(
            "merged", survivor, identities=self._identities(survivor), merge_id=merge_id, merged_customer_id=absorbed,
            absorbed={"customer_id": absorbed, "code": "C-2", "identities": _identities(was)},
            merged_at=self.programme.clock.now().isoformat(),
        )  # fmt: skip
        return merge_id, event

    def merge(self, survivor: str, absorbed: str) -> str:
        merge_id, event = self.merged(survivor, absorbed)
        assert self.programme.tell("customers", event) == ["accepted"]
        return merge_id

    def unmerged(self, merge_id: str) -> dict[str, Any]:
        survivor, absorbed, was = self.merges[merge_id]
        self.cards[survivor] = [card for card in self.cards[survivor] if card not in was]
        self.cards[absorbed] = was
        restored = self.programme.customer_event("updated", absorbed, identities=self._identities(absorbed))
        event: dict[str, Any] = self.programme.customer_event(
            "unmerged", survivor, identities=self._identities(survivor), merge_id=merge_id,
            restored_customer_id=absorbed, restored={**restored["data"], "sequence": restored["sequence"]},
            unmerged_at=self.programme.clock.now().isoformat(),
        )  # fmt: skip
        return event

    def unmerge(self, merge_id: str) -> None:
        assert self.programme.tell("customers", self.unmerged(merge_id)) == ["accepted"]

    def updates(self, customer: str, **state: Any) -> None:
        event = self.programme.customer_event("updated", customer, identities=self._identities(customer), **state)
        self.programme.tell("customers", event)

    def _identities(self, customer: str) -> list[dict[str, str]]:
        return _identities(self.cards[customer])


def _identities(cards: list[str]) -> list[dict[str, str]]:
    return [{"scheme": card.partition(":")[0], "value": card.partition(":")[2]} for card in cards]


@pytest.fixture
def registry(programme: Any) -> Registry:
    return Registry(programme)


@pytest.fixture
def standing(programme: Any) -> Callable[[str], tuple[Any, ...]]:
    """``standing(customer)`` → purse, tier and open lots (origin, state, remaining, life), as the books have them."""

    def read(customer: str) -> tuple[Any, ...]:
        (member,) = programme.rows(
            "SELECT tier, tier_kept_until, growth_from, growth_before FROM member WHERE customer_id = :id", id=customer
        )
        lots = programme.rows(
            "SELECT id, transaction_id, state, remaining, reserved, unit_cost, campaign, earned_at, available_at,"
            " expires_at FROM lot WHERE member_id = :id AND remaining > 0 ORDER BY id",
            id=customer,
        )
        return (programme.purse(customer), tuple(member.values()), tuple(tuple(lot.values()) for lot in lots))

    return read

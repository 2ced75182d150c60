"""What campaigns may promise at most; the campaigns themselves are made by marketing, not written in the pack."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from chassis.policies.document import Node
from chassis.policies.reading import mapping, share, wrong
from loyalty.policy.amounts import whole_points

if TYPE_CHECKING:
    from loyalty.policy.rules import Sanity


@dataclass(frozen=True)
class CampaignRules:
    """Bounds for every campaign. ``control_group`` is the share (0.10) held out where a campaign names none."""

    multiplier_up_to: Decimal
    bonus_up_to: int
    control_group: Decimal
    clause: str


def read_campaigns(node: Node, sanity: Sanity) -> CampaignRules:
    keys = mapping(node, ("multiplier_up_to", "bonus_up_to", "control_group"), clause=True)
    return CampaignRules(
        multiplier_up_to=_multiplier(keys["multiplier_up_to"], sanity),
        bonus_up_to=whole_points(keys["bonus_up_to"]),
        control_group=share(keys["control_group"], Decimal("0.5")),
        clause=keys.clause,
    )


def _multiplier(node: Node, sanity: Sanity) -> Decimal:
    said = node.text
    factor = Decimal(said[2:]) if said.startswith("x ") and said[2:].replace(".", "", 1).isdigit() else None
    if factor is None or factor < 1:
        wrong(node, f"`{said}` is no multiplier", "write `x 3`")
        return Decimal(1)
    if factor > sanity.multiplier:
        wrong(
            node,
            f"x {factor} is above the pack's own sanity cap of x {sanity.multiplier}",
            "is a decimal point missing? Else raise sanity.multiplier",
        )
    return factor

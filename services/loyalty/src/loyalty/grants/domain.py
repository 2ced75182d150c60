"""What customers do beside buying that the pack rewards, each deed once: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

SUGGESTION_ADOPTED, SURVEY_ANSWERED = "suggestion_adopted", "survey_answered"  # as the pack names their rewards
CHECK_IN = "check_in"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done by a customer. ``key`` identifies it for ever, whatever event tells of it."""

    kind: str
    reward: str
    key: str
    customer_id: str
    done_at: datetime
    reason: str
    points: int | None = None  # proposed with it; None: by the pack


def read_suggestion(data: Mapping[str, Any]) -> Deed | None:
    """``suggestion.adopted``; None where nobody is known to whom points could go."""
    if not data["customer_id"]:
        return None
    return Deed(
        kind="suggestion",
        reward=SUGGESTION_ADOPTED,
        key=f"suggestion:{data['suggestion_id'].lower()}",
        customer_id=data["customer_id"].lower(),
        done_at=datetime.fromisoformat(data["adopted_at"]).astimezone(UTC),
        reason=f"suggestion {data['number']} was adopted",
        points=data.get("points"),
    )


def read_survey(data: Mapping[str, Any]) -> Deed:
    """``survey.answered``: once per survey and customer, however often they were invited to it or answered."""
    customer_id = data["customer_id"].lower()
    return Deed(
        kind="survey",
        reward=SURVEY_ANSWERED,
        key=f"survey:{data['survey_id'].lower()}:{customer_id}",
        customer_id=customer_id,
        done_at=datetime.fromisoformat(data["answered_at"]).astimezone(UTC),
        reason="a survey was answered",
    )


@dataclass(frozen=True, slots=True)
class Stay:
    """A guest's stay, first to last day, under the name that the house knows them by."""

    name: str
    first: date
    last: date


def read_stay(data: Mapping[str, Any]) -> Stay | None:
    """``milestone.reached``; None unless it is a ``check_in``.

    Its day is that of ``at`` in the sender's own offset; ``details.until`` says the last day, else it is the first.
    Raises ValueError for a last day that is none.
    """
    if data["milestone"] != CHECK_IN:
        return None
    customer, first = data["customer"], datetime.fromisoformat(data["at"]).date()
    until = (data.get("details") or {}).get("until")
    last = first if until is None else date.fromisoformat(str(until))
    name = f"#{customer['id'].lower()}" if customer.get("id") else customer["identity"]
    return Stay(name, first, max(first, last))

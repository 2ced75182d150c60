"""The queues of what the pack may reward: adopted suggestions, answered surveys, guests who stay on their birthday."""

from __future__ import annotations

from chassis.messaging.delivery import Delivery, Reject
from chassis.runtime import Context
from chassis.service import Subscription
from loyalty.grants.birthdays import grant_staying
from loyalty.grants.domain import read_stay, read_suggestion, read_survey
from loyalty.grants.use_cases import reward_deed
from loyalty.members.identities import known

SUGGESTED, ANSWERED = "suggestion.adopted.v1", "survey.answered.v1"


def handle_deed(context: Context, delivery: Delivery) -> None:
    """Reward it, where the pack does and somebody is known."""
    event = delivery.event
    deed = read_suggestion(event.data) if event.type == SUGGESTED else read_survey(event.data)
    if deed is not None:
        reward_deed(context, deed)


def handle_milestone(context: Context, delivery: Delivery) -> None:
    """A guest checked in: their birthday may lie in the stay. Other milestones are for others."""
    try:
        stay = read_stay(delivery.event.data)
    except ValueError as wrong:
        raise Reject(f"details.until is no day of the calendar: {wrong}") from None
    if stay is None:
        return
    member = known(context.session, [stay.name]).get(stay.name)
    if member is not None:
        grant_staying(context, member, stay.first, stay.last)


REWARDS = Subscription(
    name="rewards",
    family="events",
    bindings=("suggestion.adopted.#", "survey.answered.#"),
    handle=handle_deed,
    accepts=frozenset({SUGGESTED, ANSWERED}),
)

MILESTONES = Subscription(
    name="milestones",
    family="purchases",
    bindings=("milestone.#",),
    handle=handle_milestone,
    accepts=frozenset({"milestone.reached.v1"}),
)

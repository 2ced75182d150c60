"""``complaints/choices``: what the pack in force lets one choose from, for forms that must not know it by heart."""

from __future__ import annotations

from flask import Response

from chassis.web import Blueprint, Schema, answer, fields, glance, requires
from complaint.policy.rules import TYPES, ComplaintPolicy

blueprint = Blueprint("complaint-choices", __name__, description="What the policy pack lets one choose from")
BLUEPRINTS = (blueprint,)


class ChoicesSchema(Schema):
    """Codes in the order of the pack."""

    types = fields.List(fields.String(), required=True)
    channels = fields.List(fields.String(), required=True)
    categories = fields.List(fields.String(), required=True)
    scale = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    closes = fields.List(fields.Whole(), required=True, metadata={"description": "answers that close a case"})
    attempts = fields.Whole(required=True, metadata={"description": "call-backs tried before a case closes unreached"})
    ladder = fields.List(fields.String(), required=True, metadata={"description": "roles, from the first handler up"})
    backdated_by = fields.List(fields.String(), required=True)
    currency = fields.String(required=True)
    clocks = fields.List(fields.String(), required=True)


@blueprint.get("/complaints/choices")
@requires("complaints:read")
@blueprint.response(200, ChoicesSchema)
def choices() -> Response:
    """Types, channels, categories, the scale of the call-back"""
    rules: ComplaintPolicy = glance().policies.in_force().rules
    said = rules.satisfaction
    return answer(
        {
            "types": TYPES,
            "channels": rules.channels.accepted,
            "categories": rules.categories.codes,
            "scale": {str(value): words for value, words in sorted(said.scale.items())},
            "closes": sorted(said.closes),
            "attempts": said.attempts,
            "ladder": rules.escalation.ladder,
            "backdated_by": sorted(rules.channels.backdated_by),
            "currency": rules.company.currency,
            "clocks": list(rules.clocks),
        }
    )

"""``members/{customer_id}/merges``: whom a member absorbed, whose part it was, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import or_, select

from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, glance, requires
from loyalty.members.queries import require_member
from loyalty.merging.domain import MERGED, PROPOSED, UNMERGED
from loyalty.merging.tables import Merge

blueprint = Blueprint("merges", __name__, description="Members who became one, and were parted again")


class MergeSchema(Schema):
    """Two members who became one."""

    id = fields.Uuid(required=True, metadata={"description": "the registry's own for this merge"})
    survivor_id = fields.Uuid(required=True)
    absorbed_id = fields.Uuid(required=True)
    status = fields.Choice(
        MERGED, PROPOSED, UNMERGED, required=True,
        metadata={"description": "proposed: the two are apart, what came along waits for staff (`approval_id`)"},
    )  # fmt: skip
    merged_at = fields.Instant(required=True)
    unmerged_at = fields.Instant(required=True, allow_none=True)
    points = fields.Points(required=True, metadata={"description": "what the absorbed member brought, debt deducted"})
    growth = fields.Points(required=True)
    deficit = fields.Points(required=True, metadata={"description": "the debt it brought"})
    approval_id = fields.Uuid(required=True, allow_none=True)
    why = fields.String(
        required=True, allow_none=True, metadata={"description": "why parting was not the plain inverse"}
    )


@blueprint.get("/members/<uuid:customer_id>/merges")
@requires("members:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(MergeSchema))
def merges(query: dict[str, Any], customer_id: UUID) -> Response:
    """The merges a member was part of, newest first"""
    at = glance()
    require_member(at.session, at.principal, customer_id)
    found = select(Merge).where(or_(Merge.survivor_id == customer_id, Merge.absorbed_id == customer_id))
    order = [Merge.merged_at.desc(), Merge.id.desc()]
    return answer(Page.of(at.session, found, order, query["limit"], query["cursor"], _shown))


def _shown(merge: Merge) -> dict[str, Any]:
    names = (
        "id", "survivor_id", "absorbed_id", "status", "merged_at", "unmerged_at", "points", "growth", "deficit",
        "approval_id", "why",
    )  # fmt: skip
    return {name: getattr(merge, name) for name in names}

"""``vouchers``: what a till asks of a code that a customer shows."""

from __future__ import annotations

from typing import Any

from flask import Response

from chassis.web import Blueprint, Schema, Work, answer, fields, glance, requires, work
from loyalty.redemption.tables import Redemption
from loyalty.vouchers import use_cases
from loyalty.vouchers.domain import state
from loyalty.vouchers.tables import Voucher

blueprint = Blueprint("vouchers", __name__, description="Codes that are worth something once")


class UsingSchema(Schema):
    """``POST vouchers/{code}/use``."""

    store = fields.Line(64, load_default=None, metadata={"description": "where it is handed in"})
    reference = fields.Line(200, load_default=None, metadata={"description": "the till's own number, e.g. of the sale"})


class VoucherSchema(Schema):
    """A voucher. It belongs to whoever shows it, so it does not say who bought it."""

    code = fields.String(required=True)
    status = fields.Choice("issued", "used", "void", "expired", required=True)
    reward = fields.String(required=True, metadata={"description": "code of the reward it is good for"})
    name = fields.String(required=True)
    redemption_id = fields.Uuid(required=True)
    issued_at = fields.Instant(required=True)
    valid_until = fields.Instant(
        required=True, allow_none=True, metadata={"description": "the first instant when it is over; null: never"}
    )
    used_at = fields.Instant(required=True, allow_none=True)
    store = fields.String(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)


@blueprint.get("/vouchers/<code>")
@requires("vouchers:read")
@blueprint.response(200, VoucherSchema)
def voucher(code: str) -> Response:
    """One voucher by its code, dashes and capitals or not; 404 says whether it was mistyped"""
    at = glance()
    return answer(_shown(at, use_cases.the_voucher(at.session, code)))


@blueprint.post("/vouchers/<code>/use")
@requires("vouchers:use", idempotency="required")
@blueprint.arguments(UsingSchema)
@blueprint.response(200, VoucherSchema)
def use(body: dict[str, Any], code: str) -> Response:
    """Take a voucher in; 409 when it is used, void or expired"""
    at = work()
    used = use_cases.use(at.context, code, body["store"], body["reference"], at.principal.username)
    at.note(str(used.id), redemption=str(used.redemption_id))
    return answer(_shown(at, used))


def _shown(at: Work, voucher: Voucher) -> dict[str, Any]:
    redemption = at.session.get_one(Redemption, voucher.redemption_id)
    return {
        "code": voucher.code,
        "status": state(voucher.status, voucher.valid_until, at.clock.now()),
        "reward": redemption.reward,
        "name": redemption.name,
        "redemption_id": voucher.redemption_id,
        "issued_at": voucher.issued_at,
        "valid_until": voucher.valid_until,
        "used_at": voucher.used_at,
        "store": voucher.store,
        "reference": voucher.reference,
    }

"""Customers: found as one types, registered in place, and everything known of one."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.console.area import Area, Section
from gateway.console.web import page
from gateway.console.words import N_

blueprint = Blueprint("customers", __name__, url_prefix="/console/customers")


@blueprint.get("/")
def listing() -> Response:
    """Find customers."""
    return page("console/customers/list.html")


AREA = Area(blueprint, (Section("customers", N_("Customers"), "users", "/console/customers/"),))

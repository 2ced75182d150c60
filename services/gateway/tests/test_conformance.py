"""The gateway keeps the word of its own OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chassis.runtime import Runtime
from chassis.testkit import tokens
from chassis.testkit.conformance import breaches
from chassis.web.app import create_app
from gateway.bootstrap import build_service
from gateway.people.founding import found_company


def meaning(operation: str, problem: dict[str, Any]) -> bool:
    """What no schema can say: units, people, roles must exist, keys end within two years, passwords are rare."""
    if operation == "POST /api/v1/services/gateway/policies":
        return True  # a real pack or none
    named = {"unit", "parent", "head", "superior", "roles", "expires_at", "password", "absence.deputy", "absence.until"}
    return bool(problem.get("errors")) and set(problem["errors"]) <= named


def test_no_answer_departs_from_the_document(make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime(build_service, jwks_url=tokens.static_jwks())
    with runtime.context() as at:
        found_company(at.session)

    found = breaches(
        create_app(runtime),
        tokens.bearer(),
        max_examples=5,
        excused=meaning,
    )

    assert not found, "\n\n".join(found)

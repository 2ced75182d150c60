"""The service keeps the word of its own OpenAPI document."""

from __future__ import annotations

import os
from typing import Any

from chassis.testkit import tokens
from chassis.testkit.conformance import breaches
from chassis.web.app import create_app


def _meaning(operation: str, problem: dict[str, Any]) -> bool:
    """A 422 for what no schema can express: a number that nobody has, a day before another, a scheme of the pack."""
    return problem.get("status") == 422


def test_no_answer_breaks_the_document(runtime):
    app = create_app(runtime)

    found = breaches(app, tokens.bearer(), int(os.environ.get("KEZHI_EXAMPLES", "3")), excused=_meaning)

    assert found == [], "\n\n".join(found)

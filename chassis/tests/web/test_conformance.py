"""The sample service keeps the word of its own document."""

from __future__ import annotations

from typing import Any

from chassis.runtime import Runtime
from chassis.testkit import tokens
from chassis.testkit.conformance import breaches
from chassis.web.app import create_app, openapi_document


def test_no_answer_departs_from_the_document(shelf: Runtime) -> None:
    app = create_app(shelf)

    found = breaches(
        app,
        tokens.bearer(),
        max_examples=5,
        # A pack must be a pack, and a moment lie ahead: meanings that no schema tells.
        excused=lambda operation, problem: operation.startswith("POST /api/v1/services/shelf/policies"),
    )

    assert not found, "\n\n".join(found)


def test_the_document_is_the_same_on_every_run_and_needs_no_database(sample: Any) -> None:
    assert openapi_document(sample.build_service()) == openapi_document(sample.build_service())


def test_a_choice_that_may_be_null_says_so_in_bodies_and_never_in_queries(sample: Any) -> None:
    document = openapi_document(sample.build_service())

    binding = document["components"]["schemas"]["NewBook"]["properties"]["binding"]
    (asked,) = [each for each in document["paths"]["/api/v1/books"]["get"]["parameters"] if each["name"] == "binding"]
    assert (binding["type"], binding["enum"]) == (["string", "null"], ["cloth", "paper", None])
    assert (asked["schema"]["type"], asked["schema"]["enum"]) == ("string", ["cloth", "paper"])


def test_the_document_says_what_names_a_mapping_takes(sample: Any) -> None:
    files = openapi_document(sample.build_service())["components"]["schemas"]["Stage"]["properties"]["files"]

    assert (files["propertyNames"]["maxLength"], files["propertyNames"]["minLength"]) == (120, 1)

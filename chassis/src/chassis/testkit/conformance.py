"""Does an application keep the word of its own OpenAPI document? schemathesis asks, with all of its checks.

Example data, boundary values, made-up data both right and wrong: no 5xx, no status, media type or body that the
document doesn't name, nothing wrong accepted, nothing right refused, no door open without a token.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData
from werkzeug.serving import WSGIRequestHandler, make_server

# A schema can't say that a value must have been given out before, or not been used for something else.
_OF_EARLIER_REQUESTS = {"Idempotency-Key", "cursor"}


def breaches(
    app: Any,
    authorization: str,
    max_examples: int = 20,
    seed: int = 20261121,
    excused: Callable[[str, dict[str, Any]], bool] = lambda operation, problem: False,
    without: str | None = None,
) -> list[str]:
    """What was found, one text per finding, with the request that shows it. Empty is what a test asserts.

    ``excused(operation, problem)``: a 422 for a meaning that no schema can express (``POST /api/v1/books``, its
    problem document). Only refusals of well-formed data can be excused, nothing else. ``without``: a regular
    expression of paths that are not asked.
    """

    config = schemathesis.Config.from_dict(
        {
            "seed": seed,
            "headers": {"Authorization": authorization},
            "generation": {"max-examples": max_examples, "database": "none"},
            "phases": {"stateful": {"enabled": False}},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 401, 403, 404, 409, 412, 429, "5xx"]},
                "negative_data_rejection": {
                    "expected-statuses": [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
                },
                "missing_required_header": {"expected-statuses": [400, 401, 403, 404, 406, 415, 422, 428]},
            },
            "continue-on-failure": True,
        }
    )
    found: dict[str, str] = {}
    with _served(app) as url:
        whole = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
        asked = whole if without is None else whole.exclude(path_regex=without)
        for event in from_schema(asked).execute():
            if isinstance(event, events.ScenarioFinished):
                for case_id, checks in event.recorder.checks.items():
                    for info in (check.failure_info for check in checks):
                        if info is None:
                            continue
                        failure = info.failure
                        label = event.recorder.label
                        if isinstance(failure, RejectedPositiveData):
                            response = event.recorder.find_response(case_id=case_id)
                            problem = response.json() if response is not None else {}
                            if set(problem.get("errors", {})) & _OF_EARLIER_REQUESTS or excused(label, problem):
                                continue
                        key = f"{label} - {failure.title}: {failure.message}"
                        found.setdefault(key, f"{key}\n{info.code_sample}")
            elif isinstance(event, events.NonFatalError):
                found.setdefault(str(event.value), f"{event.label} - {event.value}")
            elif isinstance(event, events.FatalError):
                raise event.exception
    return list(found.values())


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def _served(app: Any) -> Iterator[str]:
    """The application behind a real socket: what a server does to a request belongs to the test."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

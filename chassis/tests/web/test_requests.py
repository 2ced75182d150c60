"""A request is one transaction, and everything refused is refused in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.runtime import Runtime
from chassis.web.app import assemble

BOOKS = "/api/v1/books"
NOWHERE = "01a1f6ae-9900-7052-869f-8ba423e55c03"


def _problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.json
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= body.keys()
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


def test_a_created_thing_is_read_again(keeper: Any, a_book: Any) -> None:
    made = keeper.post(BOOKS, json=a_book())

    assert made.status_code == 201
    read = keeper.get(f"{BOOKS}/{made.json['id']}")
    assert read.json == made.json
    assert read.json["price"] == "12.50"
    assert read.headers["ETag"] == '"1"'


def test_wrong_fields_are_named_by_their_path(keeper: Any, a_book: Any) -> None:
    body = a_book(price=12.5, colour="red", authors=[{"name": "Shi"}, {"name": " "}])

    problem = _problem(keeper.post(BOOKS, json=body), 422)

    assert set(problem["errors"]) == {"price", "colour", "authors.1.name"}


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"code": ', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"code": NaN}', "application/json", 400),
        (b'{"code": "\\ud800"}', "application/json", 400),
        (b"", "application/json", 400),
        (b"code=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"code": "a\\u0000b"}', "application/json", 422),
        (b'{"code": "B", "title": "T", "price": "1.00", "copies": 99999999999999999999}', "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_bad_bodies_are_refused_and_never_an_error_of_ours(
    keeper: Any, content: bytes, content_type: str, status: int
) -> None:
    _problem(keeper.post(BOOKS, data=content, content_type=content_type), status)


def test_a_backslash_before_a_nul_escape_is_only_a_backslash(keeper: Any) -> None:
    body = b'{"code": "a\\\\u0000b", "title": "T", "price": "1.00"}'

    assert keeper.post(BOOKS, data=body, content_type="application/json").status_code == 201


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "limit=0",
        "limit=201",
        "limit=ten",
        "limit=5&limit=6",
        "cursor=x",
        "in_stock=yes",
        "title=%00",
        "title=",
    ],
)
def test_queries_that_are_not_documented_are_refused(keeper: Any, query: str) -> None:
    assert _problem(keeper.get(f"{BOOKS}?{query}"), 422)["errors"]


def test_a_resource_without_query_parameters_takes_none(keeper: Any) -> None:
    assert _problem(keeper.get(f"{BOOKS}/{NOWHERE}?x=1"), 422)["errors"] == {"x": ["unknown parameter"]}


@pytest.mark.parametrize(
    "id", ["nonsense", "0", "01a1f6ae-9900-7052-869f", "%00", "01a1f6ae-9900-7052-869f-8ba423e55c0g"]
)
def test_malformed_ids_name_nothing(keeper: Any, id: str) -> None:
    _problem(keeper.get(f"{BOOKS}/{id}"), 404)


def test_a_method_that_is_not_served_names_those_that_are(keeper: Any) -> None:
    answer = keeper.put(BOOKS, json={})

    _problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


def test_a_change_names_the_version_it_changes(keeper: Any, a_book: Any) -> None:
    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book()).json['id']}"

    _problem(keeper.patch(url, json={"copies": 1}), 428)
    changed = keeper.patch(url, json={"copies": 1}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"], changed.json["title"]) == (200, '"2"', "Water Margin")
    assert _problem(keeper.patch(url, json={"copies": 2}, headers={"If-Match": '"1"'}), 412)["version"] == 2
    assert keeper.get(url).json["copies"] == 1


def test_what_lies_outside_the_callers_unit_does_not_exist_for_them(
    shelf: Runtime, client: Callable[..., Any], a_book: Any
) -> None:
    east = client(shelf, roles=["keeper"], unit_path="/east", username="e")
    eastern = client(shelf, roles=["keeper"], unit_path="/eastern/", username="n")
    id = east.post(BOOKS, json=a_book()).json["id"]

    assert client(shelf, roles=["keeper"], unit_path="/", username="root").get(f"{BOOKS}/{id}").status_code == 200
    _problem(eastern.get(f"{BOOKS}/{id}"), 404)


@pytest.mark.parametrize(("kind", "status"), [(0, 500), (1, 503), (2, 409), (3, 503), (4, 409)])
def test_whatever_fails_nothing_of_it_remains(
    make_runtime: Callable[..., Runtime], sample: Any, client: Callable[..., Any], a_book: Any, kind: int, status: int
) -> None:
    keeper = client(make_runtime(sample.build_service(failing=True)), roles=["keeper"])
    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book()).json['id']}"

    answer = keeper.post(f"/api/v1/failures/{kind}")

    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert keeper.get(url).json["copies"] == 3


def test_a_database_that_is_away_is_503_and_comes_back_without_a_restart(
    shelf: Runtime, keeper: Any, a_book: Any, pg_url: str
) -> None:
    import psycopg

    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book()).json['id']}"
    assert keeper.get(url).status_code == 200
    name = shelf.engine.url.database
    with psycopg.connect(pg_url, autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')  # type: ignore[arg-type]
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        _problem(keeper.get(url), 503)
        assert keeper.get("/health/ready").status_code == 503
        assert keeper.get("/health/live").status_code == 200
        server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')  # type: ignore[arg-type]
    assert keeper.get(url).status_code == 200
    assert keeper.get("/health/ready").json["status"] == "ready"


def test_idle_connections_cut_by_the_server_cost_no_request(
    shelf: Runtime, keeper: Any, a_book: Any, pg_url: str
) -> None:
    import psycopg

    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book()).json['id']}"
    with psycopg.connect(pg_url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [shelf.engine.url.database],
        )

    assert keeper.get(url).status_code == 200


def test_pages_go_on_where_the_last_one_ended_whatever_comes_between(keeper: Any, a_book: Any) -> None:
    for number in range(5):
        made = keeper.post(BOOKS, json=a_book(code=f"C-{number}", added_at=f"2026-01-0{number // 2 + 1}T00:00:00Z"))
        assert made.status_code == 201
    whole = [book["code"] for book in keeper.get(BOOKS).json["items"]]
    first = keeper.get(f"{BOOKS}?limit=2").json
    keeper.post(BOOKS, json=a_book(code="C-9", added_at="2027-01-01T00:00:00Z"))

    second = keeper.get(f"{BOOKS}?limit=2&cursor={first['next']}").json
    third = keeper.get(f"{BOOKS}?limit=2&cursor={second['next']}").json

    assert [book["code"] for page in (first, second, third) for book in page["items"]] == whole
    assert sorted(whole) == ["C-0", "C-1", "C-2", "C-3", "C-4"]
    assert third["next"] is None
    _problem(keeper.get(f"{BOOKS}?order=code&cursor={first['next']}"), 422)


def test_a_view_that_does_not_say_who_may_call_it_stops_the_start(sample: Any) -> None:
    from dataclasses import replace

    from chassis.web import Blueprint

    careless = Blueprint("careless", __name__)
    careless.get("/careless")(lambda: "")

    with pytest.raises(RuntimeError, match="lacks @requires"):
        assemble(replace(sample.build_service(), blueprints=(careless,)))


def test_probes_metrics_document_and_page_need_no_token(shelf: Runtime, client: Callable[..., Any]) -> None:
    stranger = client(shelf, roles=None)

    for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"):
        assert stranger.get(path).status_code == 200, path
    assert b"kezhi_http_requests_total" in stranger.get("/metrics").data
    page = stranger.get("/docs")
    assert "://" not in page.text, "nothing from elsewhere"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    _problem(stranger.get("/nowhere"), 404)

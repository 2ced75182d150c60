"""Carrying requests to their services: faithfully, in a stream, and without being dragged down by a sick one."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from chassis.testkit.private_node import free_port
from gateway.routing.breaker import FAILURES, PAUSE_SECONDS, Breaker
from gateway.routing.proxy import Router
from gateway.routing.table import SEGMENTS, owner_of
from gateway.routing.upstream import Upstream

from .conftest import ask, reply


class NoKeys:
    """A desk that knows no API keys."""

    def concerns(self, authorization: str) -> bool:
        return False


def own_application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "application/problem+json")])
    return [b'{"title": "the gateway\'s own"}']


@pytest.fixture
def gateway(served: Callable[[Any], int]) -> Callable[..., int]:
    """``gateway(customer=url, loyalty=url, **limits)`` → the port of a gateway before those services."""

    def start(customer: str = "", loyalty: str = "", **limits: Any) -> int:
        addresses = {"customer": customer, "loyalty": loyalty}
        upstreams = {name: Upstream(name, url, **limits) for name, url in addresses.items() if url}
        return served(Router(own_application, upstreams, NoKeys()))  # type: ignore[arg-type]

    return start


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/v1/customers", "customer"),
        ("/api/v1/members/1/lots", "loyalty"),
        ("/api/v1/services/loyalty/policies", "loyalty"),
        ("/api/v1/services/gateway/audit", None),
        ("/api/v1/services/nobody/audit", None),
        ("/api/v1/staff", None),
        ("/api/v1/unheard-of", None),
        ("/api/v1//customers", None),
        ("/customers", None),
    ],
)
def test_the_first_segment_names_the_owner(path: str, service: str | None) -> None:
    assert owner_of(path) == service


def test_no_two_services_share_a_segment() -> None:
    segments = [segment for owned in SEGMENTS.values() for segment in owned]

    assert len(segments) == len(set(segments))


def test_each_request_reaches_its_owner_as_it_was_written(gateway: Any, fake_service: Any) -> None:
    customer, loyalty = fake_service(), fake_service()
    port = gateway(customer.url, loyalty.url)

    ask(port, "POST", "/api/v1/customers/a%2Fb?q=%E5%AE%A2&q=1", b'{"n": 1}', {"Content-Type": "application/json"})
    ask(port, "GET", "/api/v1/members/7")
    ask(port, "DELETE", "/api/v1/services/customer/x")

    first, second = customer.seen
    assert (first.method, first.target, first.body) == ("POST", "/api/v1/customers/a%2Fb?q=%E5%AE%A2&q=1", b'{"n": 1}')
    assert first.headers["Content-Type"] == "application/json"
    assert second.target == "/api/v1/services/customer/x"
    assert [request.target for request in loyalty.seen] == ["/api/v1/members/7"]


def test_what_nobody_owns_stays_with_the_gateway(gateway: Any, fake_service: Any) -> None:
    customer = fake_service()

    status, _, body = ask(gateway(customer.url), "GET", "/api/v1/unheard-of")

    assert (status, b"own" in body, customer.seen) == (404, True, [])


def test_connection_headers_stop_at_the_gateway_both_ways(gateway: Any, fake_service: Any) -> None:
    def answer(handler: Any) -> None:
        handler.note()
        reply(handler, 200, b"{}", Connection="X-Inner", X_Inner="1", Keep_Alive="timeout=9", X_Outer="2")

    customer = fake_service(answer)
    sent = {"Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers", "Upgrade": "h2c", "X-Kept": "yes"}

    status, headers, _ = ask(gateway(customer.url), "GET", "/api/v1/customers", headers=sent)

    names = {name.lower() for name in customer.seen[0].headers}
    assert status == 200
    assert names & {"x-mine", "te", "upgrade", "keep-alive"} == set()
    assert customer.seen[0].headers["X-Kept"] == "yes"
    assert {"x-inner", "keep-alive"} & set(headers) == set()
    assert headers["x-outer"] == "2"


def test_trace_and_request_id_travel_through(gateway: Any, fake_service: Any) -> None:
    customer = fake_service()
    port = gateway(customer.url)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    _, named, _ = ask(port, "GET", "/api/v1/customers", headers={"traceparent": trace, "X-Request-Id": "abcd-1234"})
    _, made, _ = ask(port, "GET", "/api/v1/customers")
    _, mended, _ = ask(port, "GET", "/api/v1/customers", headers={"X-Request-Id": "<script> & co"})

    first, second, third = (request.headers for request in customer.seen)
    assert (first["Traceparent"], first["X-Request-Id"], named["x-request-id"]) == (trace, "abcd-1234", "abcd-1234")
    assert second["X-Request-Id"] == made["x-request-id"] != ""
    assert third["X-Request-Id"] == mended["x-request-id"]
    assert "script" not in mended["x-request-id"]
    assert first["X-Forwarded-For"] == "127.0.0.1"


def test_a_line_break_in_the_path_makes_no_header(gateway: Any, fake_service: Any) -> None:
    customer = fake_service()

    ask(gateway(customer.url), "GET", "/api/v1/customers/%0d%0aX-Evil:%201")

    assert customer.seen[0].target == "/api/v1/customers/%0d%0aX-Evil:%201"
    assert "X-Evil" not in customer.seen[0].headers


def test_a_dead_service_is_named_and_takes_no_other_down(gateway: Any, fake_service: Any) -> None:
    loyalty = fake_service()
    port = gateway(f"http://127.0.0.1:{free_port()}", loyalty.url)

    status, headers, body = ask(port, "POST", "/api/v1/customers", b"{}")
    alive, _, _ = ask(port, "GET", "/api/v1/members/1")

    problem = json.loads(body)
    assert (status, headers["content-type"]) == (502, "application/problem+json")
    assert (problem["service"], problem["instance"]) == ("customer", "/api/v1/customers")
    assert problem["request_id"] == headers["x-request-id"]
    assert alive == 200


def test_a_service_without_address_is_named(gateway: Any) -> None:
    status, _, body = ask(gateway(), "GET", "/api/v1/members/1")

    assert (status, json.loads(body)["service"]) == (503, "loyalty")


def test_a_slow_service_is_given_up_and_not_asked_again(gateway: Any, fake_service: Any) -> None:
    asked = []

    def answer(handler: Any) -> None:
        asked.append(handler.path)
        time.sleep(1)

    status, _, body = ask(gateway(fake_service(answer).url, seconds=0.2), "GET", "/api/v1/customers")

    assert (status, json.loads(body)["service"], len(asked)) == (504, "customer", 1)


@pytest.mark.parametrize(
    ("method", "status", "asked"), [("GET", 200, 2), ("HEAD", 200, 2), ("POST", 502, 1), ("DELETE", 502, 1)]
)
def test_only_reads_are_tried_a_second_time(
    gateway: Any, fake_service: Any, method: str, status: int, asked: int
) -> None:
    tries = []

    def answer(handler: Any) -> None:
        tries.append(handler.command)
        if len(tries) == 1:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        else:
            reply(handler, 200, b"" if handler.command == "HEAD" else b"{}")

    answered, _, _ = ask(gateway(fake_service(answer).url), method, "/api/v1/customers")

    assert (answered, len(tries)) == (status, asked)


def test_a_service_that_never_recovers_is_tried_twice_and_no_more(gateway: Any, fake_service: Any) -> None:
    tries = []

    def answer(handler: Any) -> None:
        tries.append(1)
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    status, _, _ = ask(gateway(fake_service(answer).url), "GET", "/api/v1/customers")

    assert (status, len(tries)) == (502, 2)


def test_a_connection_that_the_service_closed_is_not_used_for_the_next_post(gateway: Any, fake_service: Any) -> None:
    def answer(handler: Any) -> None:
        handler.note()
        reply(handler, 200, b"{}")
        handler.close_connection = True  # without saying so in the answer

    customer = fake_service(answer)
    port = gateway(customer.url)

    statuses = []
    for _ in range(5):
        statuses.append(ask(port, "POST", "/api/v1/customers", b"{}")[0])
        time.sleep(0.02)

    assert statuses == [200] * 5


def test_an_answer_flows_while_it_is_made(gateway: Any, fake_service: Any) -> None:
    go_on = threading.Event()

    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nfirst\r\n")
        go_on.wait(5)
        handler.wfile.write(b"4\r\nlast\r\n0\r\n\r\n")

    connection = http.client.HTTPConnection("127.0.0.1", gateway(fake_service(answer).url), timeout=5)
    connection.request("GET", "/api/v1/services/customer/jobs/1")
    response = connection.getresponse()

    assert response.read1(100) == b"first"
    go_on.set()
    assert response.read() == b"last"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_flows_while_it_is_sent(gateway: Any, fake_service: Any, chunked: bool) -> None:
    begun = threading.Event()
    sizes = []

    def answer(handler: Any) -> None:
        for piece in handler.pieces():
            sizes.append(len(piece))
            begun.set()
        reply(handler, 202, b"{}")

    def pieces() -> Any:
        yield b"x" * 1_000_000
        assert begun.wait(5), "the service saw nothing before the whole body was sent"
        yield b"y" * 2_000_000

    headers = {"Content-Type": "text/csv"} | ({} if chunked else {"Content-Length": "3000000"})
    connection = http.client.HTTPConnection("127.0.0.1", gateway(fake_service(answer).url), timeout=10)
    connection.request("POST", "/api/v1/imports", pieces(), headers, encode_chunked=chunked)

    assert connection.getresponse().status == 202
    assert sum(sizes) == 3_000_000


def test_an_answer_given_before_the_body_was_read_reaches_the_caller(gateway: Any, fake_service: Any) -> None:
    def answer(handler: Any) -> None:
        reply(handler, 413, b"too large", Connection="close")
        handler.close_connection = True

    status, _, body = ask(gateway(fake_service(answer).url), "POST", "/api/v1/imports", b"x" * 200_000)

    assert (status, body) == (413, b"too large")


def test_a_body_that_breaks_off_is_never_passed_for_whole(gateway: Any, fake_service: Any) -> None:
    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(b"x" * 1000)
        handler.close_connection = True

    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ask(gateway(fake_service(answer).url), "GET", "/api/v1/customers")


def test_a_slow_service_takes_no_more_than_its_places(gateway: Any, fake_service: Any) -> None:
    release = threading.Event()

    def answer(handler: Any) -> None:
        release.wait(5)
        reply(handler, 200, b"{}")

    loyalty = fake_service()
    port = gateway(fake_service(answer).url, loyalty.url, places=1)
    waiting = threading.Thread(target=ask, args=(port, "GET", "/api/v1/customers"))
    waiting.start()
    time.sleep(0.2)

    refused, headers, _ = ask(port, "GET", "/api/v1/customers")
    other, _, _ = ask(port, "GET", "/api/v1/members/1")
    release.set()
    waiting.join()
    again, _, _ = ask(port, "GET", "/api/v1/customers")

    assert (refused, headers["retry-after"], other, again) == (503, "5", 200, 200)


def test_after_failures_in_a_row_a_service_is_left_alone_until_a_probe_succeeds() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed()

    assert not breaker.admits()
    now[0] += PAUSE_SECONDS
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.failed()
    assert not breaker.admits()
    now[0] += PAUSE_SECONDS
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.admits()


def test_an_open_breaker_answers_at_once(gateway: Any) -> None:
    port = gateway(f"http://127.0.0.1:{free_port()}")

    statuses = [ask(port, "POST", "/api/v1/customers", b"{}")[0] for _ in range(FAILURES + 1)]

    assert statuses == [502] * FAILURES + [503]

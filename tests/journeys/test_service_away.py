"""Show 4 of the core: stop any one service; the others answer, and it catches up when it returns."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from kezhi.api import Api
from kezhi.installation import SERVICES, Installation
from kezhi.outlet import open_outlet
from kezhi.status import await_quiet
from tests.conftest import Servers
from tests.house import PASSWORD, found_installation, free_ports, processes, purchase, register

pytestmark = [
    pytest.mark.broker,
    pytest.mark.database,
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory, outside: Servers) -> Iterator[Installation]:
    """An installation without processes; each test starts those that it wants."""
    with found_installation(tmp_path_factory.mktemp("away") / "home", *outside) as made:
        yield made


@pytest.mark.parametrize("away", ["loyalty", "customer"])
def test_the_others_answer_and_the_stopped_one_catches_up(founded: Installation, away: str) -> None:
    ports = free_ports(founded)
    gateway = f"http://127.0.0.1:{ports['gateway']}"
    api = Api(gateway, "admin", PASSWORD)
    card = f"away-{away}"
    with processes(founded, ports, set(SERVICES) - {away}):
        with processes(founded, ports, {away}):
            customer = register(api, [card])[card]
            await_quiet(founded, 60)

        exchange = f"kezhi.{founded.configuration.instance}.purchases"
        with open_outlet(founded.configuration.amqp_url, exchange) as outlet:
            outlet.publish(purchase(card, "88.00"))
        segment = {"loyalty": "members", "customer": "customers"}[away]
        refused = httpx.get(
            f"{gateway}/api/v1/{segment}/{customer}",
            headers={"Authorization": f"Bearer {api.bearer()}"},
            timeout=15,
        )
        assert refused.status_code in (502, 503)
        assert away in refused.json()["detail"]
        answering = {"loyalty": f"/customers/{customer}", "customer": f"/members/{customer}"}[away]
        assert api.get(answering)

        with processes(founded, ports, {away}):
            await_quiet(founded, 60)
            assert api.get(f"/members/{customer}")["points"]["pending"] == 88
            assert api.get("/purchases", customer_id=customer)["items"][0]["total"] == "88.00"


def test_tokens_live_on_while_the_gateway_is_away(founded: Installation) -> None:
    ports = free_ports(founded)
    api = Api(f"http://127.0.0.1:{ports['gateway']}", "admin", PASSWORD)
    with processes(founded, ports, {"customer", "loyalty", "gateway"}):
        bearer = {"Authorization": f"Bearer {api.bearer()}"}
        direct = f"http://127.0.0.1:{ports['customer']}/api/v1/customers"
        assert httpx.get(direct, headers=bearer, timeout=15).status_code == 200

    with processes(founded, ports, {"customer", "loyalty"}):
        # A service that restarts while the issuer is away can't know its keys yet: it says so, and nothing else breaks.
        answer = httpx.get(direct, headers=bearer, timeout=15)
        assert answer.status_code in (200, 503)
        assert httpx.get(f"http://127.0.0.1:{ports['customer']}/health/live", timeout=5).status_code == 200

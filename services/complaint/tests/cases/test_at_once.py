"""Two people at one case at the same moment: one of them acts, the other is told what became of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chassis.web.app import create_app

from ..conftest import Desk


def both(house: Any, case: Any, action: str, body: Any, who: tuple[str, str]) -> list[int]:
    app = create_app(house.runtime)

    def one(name: str) -> int:
        desk = Desk(app.test_client(), house.company.bearer(name))
        return desk.post(f"complaints/{case.id}/{action}", body).code

    with ThreadPoolExecutor(2) as two:
        return sorted(two.map(one, who))


def test_of_two_answers_to_one_call_back_one_counts(house: Any, given_complaint: Any, recorded: Any) -> None:
    case = given_complaint().resolved()

    assert both(house, case, "callback", {"satisfaction": 2}, ("fei", "ma")) == [200, 409]
    assert len(recorded(house.runtime, "complaint.closed.v1")) == 1


def test_of_two_dissatisfied_answers_one_opens_a_round(house: Any, given_complaint: Any) -> None:
    case = given_complaint().resolved()

    assert both(house, case, "callback", {"satisfaction": 5}, ("fei", "ma")) == [200, 409]
    assert (case.round, case.level) == (2, 2)


def test_a_case_is_acknowledged_once(house: Any, given_complaint: Any) -> None:
    case = given_complaint()

    assert both(house, case, "acknowledge", {}, ("li", "chen")) == [200, 409]
    assert [step["action"] for step in case.history()].count("acknowledge") == 1

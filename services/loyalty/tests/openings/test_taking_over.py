"""Opening balances are taken over whole, once, and to the last point that the source names."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

PATH = "/api/v1/opening-balances"
FILE = """\
customer,points,growth,earned_on,expires_on,reference
card:1,300,1200,2026-03-01,2026-12-31,A-1
card:1,50,0,,,A-2
card:2,0,80,2026-05-01,,B-1
"""


@pytest.fixture
def members(programme: Any) -> list[str]:
    return [programme.enrol("card:1"), programme.enrol("card:2")]


@pytest.fixture
def take_over(programme: Any, client: Callable[..., Any]) -> Callable[..., Any]:
    """``take_over(file, points=…)`` → the answer, as a director."""
    director = client(programme.runtime, roles=["director"], username="zhou")

    def post(file: str, source: str = "crm", key: str | None = None, **totals: Any) -> Any:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        query = {"source": source, **{name: str(value).lower() for name, value in totals.items()}}
        return director.post(PATH, query_string=query, data=file.encode(), content_type="text/csv", headers=headers)

    return post


@pytest.mark.rule("CG-23")
def test_a_file_that_adds_up_is_taken_over_with_its_dates(
    programme: Any, api: Any, take_over: Any, members: list[str], recorded: Any, in_balance: Any
) -> None:
    made = take_over(FILE, points=350, growth=1280)

    assert made.status_code == 201
    assert {name: made.json[name] for name in ("source", "lines", "known", "members", "points", "growth")} == {
        "source": "crm", "lines": 3, "known": 0, "members": 2, "points": 350, "growth": 1280,
    }  # fmt: skip
    shown = api.get(f"members/{members[0]}").get_json()
    assert (shown["points"]["available"], shown["growth"]) == (350, 1200)
    assert shown["expiring"] == [{"points": 300, "on": "2026-12-31"}, {"points": 50, "on": "2027-12-31"}]
    entry = api.get(f"members/{members[0]}/entries").get_json()["items"][-1]
    assert (entry["kind"], entry["reason"], entry["why"]["clause"]) == ("opening", "taken over from crm", "CG-22")
    told = [event.data["kind"] for event in recorded(programme.runtime, "points.earned.v1")]
    assert told == ["opening"] * 3
    assert api.get(f"opening-balances/{made.json['id']}").get_json() == made.json
    in_balance()


def test_growth_taken_over_counts_for_the_tier(programme: Any, api: Any, take_over: Any, members: list[str]) -> None:
    take_over(FILE, points=350, growth=1280)

    assert api.get(f"members/{members[0]}").get_json()["tier"] == "gold"
    programme.run("review-tiers")
    (row,) = programme.rows("SELECT tier FROM member WHERE customer_id = :id", id=members[0])
    assert row["tier"] == "gold"
    programme.clock.advance(seconds=1)
    programme.buys("100.00", "P1")
    assert api.get(f"members/{members[0]}/entries").get_json()["items"][0]["points"] == 110


@pytest.mark.parametrize(
    ("points", "growth", "said"),
    [
        (351, 1280, {"points": ["the lines add up to 350, the source says 351: 1 are missing"]}),
        (350, 1000, {"growth": ["the lines add up to 1280, the source says 1000: 280 too many"]}),
    ],
)
def test_a_file_that_does_not_add_up_leaves_nothing(
    programme: Any, take_over: Any, members: list[str], points: int, growth: int, said: Any
) -> None:
    refused = take_over(FILE, points=points, growth=growth)

    assert (refused.status_code, refused.json["errors"]) == (422, said)
    assert programme.rows("SELECT * FROM transaction") == []


def test_one_bad_line_refuses_the_whole_file_and_every_fault_is_named(
    programme: Any, take_over: Any, members: list[str]
) -> None:
    file = """\
customer,points,earned_on,expires_on,reference
card:1,300,,,A
card:1,1.5,,,B
nobody,5,,,C
card:2,5,2026-02-30,,D
card:2,5,,2026-11-01,E
card:2,5,2027-01-01,,F
card:2,0,,,G
card:2,5,,,A
card:2,5,,,H,x
"""
    refused = take_over(file, points=330)

    assert refused.status_code == 422
    assert set(refused.json["errors"]) == {
        "line 3.points", "line 4.customer", "line 5.earned_on", "line 6.expires_on", "line 7.earned_on",
        "line 8.points", "line 9.reference", "line 10",
    }  # fmt: skip
    assert refused.json["errors"]["line 9.reference"] == ["the same reference as line 2: give each line its own"]
    assert programme.rows("SELECT * FROM transaction") == []


def test_customers_whom_nobody_knows_and_points_that_have_expired_are_named(
    programme: Any, take_over: Any, members: list[str]
) -> None:
    unknown = take_over("customer,points\ncard:1,5\ncard:9,5\n", points=10)
    assert unknown.json["errors"] == {"line 3.customer": ["nobody is known as card:9: register them first"]}

    lapsed = take_over("customer,points,earned_on\ncard:1,5,2024-12-31\n", points=5)
    assert list(lapsed.json["errors"]) == ["line 2.earned_on"]
    assert programme.rows("SELECT * FROM transaction") == []


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("", "customer"),
        ("customer,points\n", ""),
        ("customer,point\ncard:1,5\n", "point"),
        ("customer,points,points\ncard:1,5,5\n", "header"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_is_expected(take_over: Any, file: str, field: str) -> None:
    refused = take_over(file, points=5)

    assert refused.status_code == 422
    assert field in refused.json["errors"]


def test_the_same_file_again_changes_nothing_and_a_longer_one_adds_the_rest(
    programme: Any, take_over: Any, members: list[str], in_balance: Any
) -> None:
    take_over(FILE, points=350)

    again = take_over(FILE, points=350)
    longer = take_over(FILE + "card:2,7,0,,,B-2\n", points=357)

    assert (again.status_code, again.json["known"], longer.json["known"]) == (201, 3, 3)
    assert [programme.purse(member)["available"] for member in members] == [350, 7]
    assert take_over(FILE, source="another", points=350).json["known"] == 0
    in_balance()


def test_another_content_under_a_known_reference_refuses_the_file(
    programme: Any, take_over: Any, members: list[str]
) -> None:
    take_over(FILE, points=350)

    refused = take_over(FILE.replace("card:1,50", "card:1,500") + "card:2,9,0,,,B-9\n", points=809)

    assert (refused.status_code, refused.json["lines"]) == (409, [3])
    assert [programme.purse(member)["available"] for member in members] == [350, 0]


def test_a_dry_run_tries_everything_and_keeps_nothing(programme: Any, take_over: Any, members: list[str]) -> None:
    tried = take_over(FILE, points=350, dry_run=True)

    assert (tried.status_code, tried.json["points"], tried.json["members"]) == (200, 350, 2)
    assert programme.rows("SELECT * FROM transaction") == []
    assert programme.rows("SELECT * FROM opening") == []
    assert take_over(FILE, points=350).json["known"] == 0


def test_the_same_file_from_two_desks_at_once_counts_once(
    programme: Any, take_over: Any, members: list[str], in_balance: Any
) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(take_over(FILE, points=350))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.json["known"] for answer in answers) == [0, 3, 3, 3]
    assert programme.purse(members[0])["available"] == 350
    in_balance()


def test_a_customer_id_will_do_and_who_is_under_review_gets_them_blocked(
    programme: Any, take_over: Any, in_balance: Any
) -> None:
    flagged = programme.enrol("card:f", flags=[{"code": "frequent", "since": "2026-11-01T00:00:00Z"}])

    take_over(f"points,customer\n40,{flagged.upper()}\n", points=40)

    assert (programme.purse(flagged)["available"], programme.purse(flagged)["blocked"]) == (0, 40)
    in_balance()


def test_many_lines_are_one_transaction(programme: Any, take_over: Any, in_balance: Any) -> None:
    for n in range(40):
        programme.enrol(f"card:{n}")
    file = "customer,points,reference\n" + "".join(f"card:{n % 40},{n},{n}\n" for n in range(1, 2001))

    made = take_over(file, points=sum(range(2001)))

    assert (made.json["lines"], made.json["members"]) == (2000, 40)
    in_balance()

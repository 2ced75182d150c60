"""A complaint becomes a satisfied answer: the whole course over HTTP, with staff signed in and the clock moving.

Friday 2026-02-13 is followed by a make-up Saturday and nine days of Spring Festival; so a wrong calendar shows at once.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from kezhi.api import Refused
from tests.town import FRIDAY, Town, eventually

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.both_engines]
RECEIVED = "2026-02-13T17:20:00+08:00"


def due(case: dict[str, Any], kind: str, round: int = 1) -> datetime:
    """When the case's clock of that kind runs out, in Shanghai."""
    (clock,) = [c for c in case["clocks"] if c["kind"] == kind and c["round"] == round]
    return datetime.fromisoformat(clock["due_at"]).astimezone(FRIDAY.tzinfo)


def explained(case: dict[str, Any], kind: str) -> str:
    return next(c["explanation"] for c in case["clocks"] if c["kind"] == kind)


def status(refusal: pytest.ExceptionInfo[Refused]) -> int:
    return refusal.value.status


@pytest.fixture(scope="module")
def case(town: Town) -> dict[str, Any]:
    """A letter of Friday 17:20, typed in at 17:40: 王芳 complains about 周洁 and bad water."""
    made: dict[str, Any] = town.as_("wu.fang").post(
        "/complaints",
        {
            "customer_id": town.customers["王芳"],
            "channel": "letter",
            "received_at": RECEIVED,
            "subject": "水有异味",
            "description": "昨天买的纯净水有异味，周洁不肯退。",
            "category": "product.quality",
            "against": {"kind": "staff", "ref": "zhou.jie"},
        },
    )
    return made


def act(town: Town, who: str, case: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
    done: dict[str, Any] = town.as_(who).post(f"/complaints/{case['id']}/{action}", body, uuid.uuid4().hex)
    return done


@pytest.mark.rule("CG-13")
@pytest.mark.rule("FR-04")
def test_it_is_taken_with_the_time_it_came_and_every_clock_is_right_and_explained(
    town: Town, case: dict[str, Any]
) -> None:
    friday = datetime.fromisoformat(RECEIVED)

    assert (case["status"], case["level"], case["round"]) == ("received", 1, 1)
    assert case["handler"] == "li.wei", "the least loaded handler of the store who is not the accused"
    assert due(case, "first_contact") == friday + timedelta(days=1), "the Saturday is a make-up workday"
    assert due(case, "answer") == friday + timedelta(hours=24)
    assert due(case, "progress") == friday + timedelta(days=7)
    assert due(case, "resolution") == datetime.fromisoformat("2026-02-25T17:20:00+08:00"), "14, 24 and 25 February"
    assert "make-up" in explained(case, "first_contact")
    assert "2026-02-25 17:20" in explained(case, "resolution")


@pytest.mark.rule("CG-14")
@pytest.mark.rule("CG-16")
@pytest.mark.rule("FR-08")
def test_a_four_opens_round_two_one_level_up_and_a_two_closes(town: Town, case: dict[str, Any]) -> None:
    act(town, "li.wei", case, "acknowledge")
    act(town, "li.wei", case, "contact", kind="first", reached=True, note="已电话联系，周六上门取样")
    act(town, "li.wei", case, "triage", founded=True, note="属实")
    act(town, "li.wei", case, "investigate", cause="batch", note="同批次水样有异味")
    act(town, "li.wei", case, "propose", measures="换货", compensation={"points": 500})
    answered = act(town, "li.wei", case, "resolve", answer="已换货并补偿 500 积分")
    assert answered["status"] == "calling_back"
    with pytest.raises(Refused) as by_the_handler:
        act(town, "li.wei", case, "callback", satisfaction=1)
    assert status(by_the_handler) == 403

    again = act(town, "wu.fang", case, "callback", satisfaction=4, comment="换的水还是有异味")

    assert (again["status"], again["round"], again["level"]) == ("investigating", 2, 2)
    assert again["handler"] == "qian.li"
    assert due(again, "resolution", round=2) > FRIDAY
    act(town, "qian.li", case, "investigate", cause="batch", note="整批下架")
    act(town, "qian.li", case, "propose", measures="全额退款", compensation={"points": 30000})
    act(town, "qian.li", case, "resolve", answer="已全额退款并补偿")
    closed = act(town, "wu.fang", case, "callback", satisfaction=2)
    assert (closed["status"], closed["round"], closed["level"]) == ("closed", 2, 2)
    rounds = {each["round"]: each["satisfaction"] for each in closed["rounds"]}
    assert rounds == {1: 4, 2: 2}


@pytest.mark.rule("CG-15")
def test_the_compensation_arrives_once(town: Town, case: dict[str, Any]) -> None:
    member = f"/members/{town.customers['王芳']}"

    eventually(lambda: town.as_("admin").get(member)["points"]["available"] == 30_500)

    entries = town.as_("admin").get(f"{member}/entries", limit=200)["items"]
    paid = [entry for entry in entries if entry["kind"] == "compensation"]
    assert sorted(entry["points"] for entry in paid) == [500, 30_000]
    assert all(case["number"] in entry["reason"] for entry in paid)


@pytest.mark.rule("CG-02")
@pytest.mark.rule("CG-14")
def test_the_customers_archive_tells_the_course_and_the_customer_was_told(town: Town, case: dict[str, Any]) -> None:
    archive = f"/customers/{town.customers['王芳']}/archive"

    def facts() -> set[str]:
        return {line["fact"] for line in town.as_("li.wei").get(archive, limit=200)["items"]}

    eventually(lambda: {"complaint.received", "complaint.reopened", "complaint.closed"} <= facts())
    eventually(lambda: "notification.delivered" in facts())
    sent = town.as_("admin").get("/messages", customer_id=town.customers["王芳"])["items"]
    assert {"complaint.received.v1", "complaint.resolved.v1"} <= {message["cause"]["type"] for message in sent}


@pytest.mark.rule("TR-11")
def test_whoever_it_was_about_finds_it_nowhere(town: Town, case: dict[str, Any]) -> None:
    accused, customer = town.as_("zhou.jie"), town.customers["王芳"]

    assert accused.get("/complaints", limit=200)["items"] == []
    assert accused.get("/complaints", q=case["number"])["items"] == []
    counts = accused.get("/complaints/counts")
    assert counts["open"] == 0
    assert not any(counts["by_status"].values())
    for path in ("", "/history", "/clocks"):
        with pytest.raises(Refused) as refused:
            accused.get(f"/complaints/{case['id']}{path}")
        assert status(refused) == 404
    with pytest.raises(Refused) as acting:
        act(town, "zhou.jie", case, "contact", kind="progress", reached=True, note="?")
    assert status(acting) == 404
    archived = accused.get(f"/customers/{customer}/archive", limit=200)["items"]
    assert {line["fact"].partition(".")[0] for line in archived} <= {"customer", "purchase", "points", "member", "tier"}
    assert accused.get("/inbox")["items"] == []
    found = accused.get("/search", q=case["number"])["items"]
    assert [each for each in found if each["kind"] == "complaint"] == []
    around = accused.get(f"/360/{customer}")
    assert around["complaints"] == []


@pytest.mark.rule("ML-02")
def test_beyond_the_calendar_a_deadline_is_provisional_until_the_year_is_imported(town: Town, tmp_path: Any) -> None:
    town.travel_to(datetime.fromisoformat("2026-12-30T10:00:00+08:00"))
    made = town.as_("wu.fang").post(
        "/complaints",
        {
            "complainant": {"name": "陈先生", "phone": "13900001111"},
            "channel": "regulator",
            "subject": "过期食品",
            "description": "12315 转来",
            "category": "product.expired",
        },
    )
    assert made["level"] == 3
    (before,) = [clock for clock in made["clocks"] if clock["kind"] == "resolution"]
    assert before["provisional"]
    # 31 Dec, then ten working days by weekdays alone
    assert before["due_at"].startswith("2027-01-13T02:0")

    year = tmp_path / "2027.csv"
    year.write_text(
        "date,kind,name\n2027-01-01,holiday,元旦\n2027-01-04,holiday,元旦\n2027-01-09,workday,元旦\n", encoding="utf-8"
    )
    done = town.house.command("calendar", "import", str(year))

    assert done.returncode == 0, done.stderr
    after = eventually(
        lambda: [
            clock
            for clock in town.as_("sun.hao").get(f"/complaints/{made['id']}/clocks")["items"]
            if clock["kind"] == "resolution" and not clock["provisional"]
        ]
    )[0]
    # 31 Dec, 5–9 (Saturday worked), 11–14: the tenth
    assert after["due_at"].startswith("2027-01-14T02:0")

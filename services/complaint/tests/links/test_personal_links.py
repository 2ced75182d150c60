"""Personal links: told once, kept as a hash, read often, answered once, never told apart when they are no good."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from chassis.messaging.event import Event
from complaint.links.due import clear_links
from kezhi_contracts.validation import against_schema


@pytest.fixture
def links(house: Any, recorded: Callable[..., list[Event]]) -> Callable[[str], list[Event]]:
    """``links("answer")`` → the links of that purpose that were told to notify."""

    def told(purpose: str) -> list[Event]:
        return [event for event in recorded(house.runtime, "link.issued.v1") if event.data["purpose"] == purpose]

    return told


def token_of(events: list[Event]) -> str:
    return str(events[-1].data["token"])


def test_whoever_can_be_reached_is_sent_a_link_to_follow_the_case(given_complaint: Any, links: Any) -> None:
    case = given_complaint(against={"kind": "staff", "ref": "wang"}, locale="zh-CN")

    (event,) = links("follow")

    assert (event.data["number"], event.data["round"], event.data["locale"]) == (case.number, 1, "zh-CN")
    assert event.data["complainant"] == {"name": "王芳", "phone": "13800138000"}
    assert event.data["hidden_from"] == [{"staff": "wang", "with_subordinates": True}]
    assert event.data["expires_at"] == "2027-02-18T02:00:00Z"


def test_nobody_is_sent_a_link_who_left_no_address(given_complaint: Any, links: Any) -> None:
    given_complaint(complainant={"name": "somebody"})

    assert links("follow") == []


def test_only_the_hash_of_a_token_is_kept(house: Any, given_complaint: Any, links: Any) -> None:
    given_complaint()
    token = token_of(links("follow"))

    assert len(token) >= 43  # 256 bits
    with house.runtime.sessions() as session:
        dump = session.connection().exec_driver_sql(
            "SELECT string_agg(link::text, ' ') || (SELECT string_agg(step::text, ' ') FROM complaint_step AS step)"
            " || (SELECT string_agg(told::text, ' ') FROM chassis.audit AS told) FROM personal_link AS link"
        ).scalar_one()  # fmt: skip
    assert token not in dump


@pytest.mark.rule("FR-07")
def test_the_complainant_sees_the_course_the_times_and_the_handlers_line(
    house: Any, given_complaint: Any, links: Any
) -> None:
    house.company.employ("li", ["handler"], unit="SH001", superior="chen", phone="021-5000-1234")
    case = given_complaint().acknowledged().contacted()

    seen = house.as_("portal").get(f"complaint-links/{token_of(links('follow'))}")

    assert (seen.number, seen.status, seen.subject) == (case.number, "acknowledged", "Leaking bottle")
    assert seen.status_text_key == "complaint.status.acknowledged"
    assert (seen.handler_name, seen.handler_phone) == ("Li", "021-5000-1234")
    assert [(each["step"], each["due_at"]) for each in seen.expected] == [
        ("resolution", "2026-11-25T02:00:00Z"), ("progress", "2026-11-27T02:00:00Z"),
    ]  # fmt: skip
    assert [each["kind"] for each in seen.updates] == ["received", "acknowledged", "contacted"]
    assert seen.may_answer is False


def test_what_was_done_too_late_is_not_awaited_any_more(house: Any, given_complaint: Any, links: Any) -> None:
    case = given_complaint()
    house.clock.advance(days=12)
    house.drain()
    token = token_of(links("follow"))
    late = {each["step"] for each in house.as_("portal").get(f"complaint-links/{token}").expected}

    case.closed()

    assert {"first_contact", "resolution"} <= late
    assert house.as_("portal").get(f"complaint-links/{token}").expected == []


def test_what_is_said_inside_the_house_stays_inside(house: Any, given_complaint: Any, links: Any) -> None:
    case = given_complaint().proposed(amount="5000")
    token = token_of(links("follow"))

    inside = house.as_("portal").get(f"complaint-links/{token}")

    assert inside.status == "investigating"
    assert "loose cap" not in str(inside.body)
    assert "5000" not in str(inside.body)
    case.does("approve", {}, by="zhou").resolved()
    told = house.as_("portal").get(f"complaint-links/{token}").updates
    assert told[-1]["text"] == "We are sorry and exchanged the bottle."


@pytest.mark.rule("FR-08")
def test_the_answer_by_link_closes_the_case(house: Any, given_complaint: Any, links: Any) -> None:
    case = given_complaint().resolved()
    token = token_of(links("answer"))
    portal = house.as_("portal")

    asked = portal.get(f"complaint-links/{token}")
    answered = portal.post(f"complaint-links/{token}/answer", {"satisfaction": 1, "comment": "quick"})

    assert (asked.purpose, asked.may_answer, asked.scale["5"]) == ("answer", True, "very dissatisfied")
    assert (answered.code, answered.status) == (200, "closed")
    (form,) = case.rounds
    assert (form["satisfaction"], form["comment"], form["answered_via"], form["attempts"]) == (1, "quick", "link", 0)
    assert form["reached"] is True


@pytest.mark.rule("FR-08")
def test_a_dissatisfied_answer_by_link_opens_the_next_round_with_a_link_of_its_own(
    house: Any, given_complaint: Any, links: Any
) -> None:
    case = given_complaint().resolved()
    first = token_of(links("answer"))

    answered = house.as_("portal").post(f"complaint-links/{first}/answer", {"satisfaction": 5})

    assert (answered.status, answered.round, case.level) == ("investigating", 2, 2)
    case.resolved()
    assert [event.data["round"] for event in links("answer")] == [1, 2]
    assert house.as_("portal").post(f"complaint-links/{first}/answer", {"satisfaction": 1}).code == 404
    second = token_of(links("answer"))
    assert house.as_("portal").post(f"complaint-links/{second}/answer", {"satisfaction": 1}).status == "closed"


def test_reading_votes_nothing_however_often(house: Any, given_complaint: Any, links: Any) -> None:
    case = given_complaint().resolved()
    token = token_of(links("answer"))

    codes = {house.as_("portal").get(f"complaint-links/{token}").code for _ in range(5)}

    assert codes == {200}
    assert (case.status, case.rounds[0]["satisfaction"]) == ("calling_back", None)
    assert house.as_("portal").post(f"complaint-links/{token}/answer", {"satisfaction": 2}).code == 200


def test_of_two_answers_at_once_one_counts(house: Any, given_complaint: Any, links: Any) -> None:
    case = given_complaint().resolved()
    token = token_of(links("answer"))
    codes: list[int] = []

    def answer(satisfaction: int) -> None:
        codes.append(house.as_("portal").post(f"complaint-links/{token}/answer", {"satisfaction": satisfaction}).code)

    threads = [threading.Thread(target=answer, args=(each,)) for each in (1, 5, 1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [200, 404, 404, 404]
    assert len([step for step in case.history() if step["action"] == "callback"]) == 1


def test_wrong_used_old_and_other_peoples_links_get_the_same_answer(
    house: Any, given_complaint: Any, links: Any, clock: Any
) -> None:
    portal = house.as_("portal")
    given_complaint().resolved()
    follow, used = token_of(links("follow")), token_of(links("answer"))
    portal.post(f"complaint-links/{used}/answer", {"satisfaction": 1})
    given_complaint(subject="Another").resolved()
    old = token_of(links("answer"))

    refusals = [
        portal.get(f"complaint-links/{'x' * 43}"),
        portal.get(f"complaint-links/{used}"),
        portal.post(f"complaint-links/{used}/answer", {"satisfaction": 1}),
        portal.post(f"complaint-links/{follow}/answer", {"satisfaction": 1}),
    ]
    clock.advance(days=31)
    refusals += [
        portal.get(f"complaint-links/{old}"),
        portal.post(f"complaint-links/{old}/answer", {"satisfaction": 1}),
    ]

    assert {answer.code for answer in refusals} == {404}
    assert len({answer.detail for answer in refusals}) == 1
    assert portal.get(f"complaint-links/{follow}").code == 200
    clock.advance(days=60)
    assert portal.get(f"complaint-links/{follow}").code == 404


def test_a_call_answered_by_telephone_makes_the_link_useless(house: Any, given_complaint: Any, links: Any) -> None:
    case = given_complaint().resolved()
    case.callback(2)

    assert house.as_("portal").get(f"complaint-links/{token_of(links('answer'))}").code == 404


@pytest.mark.parametrize("who", ["li", "chen", "zhou", "sun", "fei"])
def test_links_are_for_the_portal_alone(house: Any, given_complaint: Any, links: Any, who: str) -> None:
    given_complaint()

    assert house.as_(who).get(f"complaint-links/{token_of(links('follow'))}").code == 403


def test_the_portal_shows_a_link_to_what_it_handed_in_itself_and_to_nothing_else(
    house: Any, given_complaint: Any
) -> None:
    portal = house.as_("portal")
    own = given_complaint(by="portal", channel="portal", complainant={"name": "somebody"})
    foreign = given_complaint()

    made = portal.post("complaint-links", {"complaint_id": own.id})

    assert (made.code, portal.get(f"complaint-links/{made.token}").number) == (201, own.number)
    assert portal.post("complaint-links", {"complaint_id": foreign.id}).code == 404


def test_what_notify_is_told_keeps_to_the_contract(house: Any, given_complaint: Any, links: Any) -> None:
    given_complaint().resolved()
    given_complaint(customer_id=house.customer(), complainant=None)  # nothing but the registry's contacts

    for event in (*links("follow"), *links("answer")):
        assert against_schema(orjson.loads(event.to_json())) == {}


def test_links_that_ran_out_are_cleared_away(house: Any, given_complaint: Any, clock: Any) -> None:
    given_complaint().resolved()
    clock.advance(days=31)
    with house.runtime.context() as context:
        assert clear_links(context) is False

    assert [row["purpose"] for row in house.rows("SELECT purpose FROM personal_link")] == ["follow"]

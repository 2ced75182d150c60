"""The same service under other regulations: what a clock is, the pack says."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from services.complaint.tests.conftest import Case, House, said

from complaint.bootstrap import build_service

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEFAULT = Path(__file__).parents[4] / "policies" / "consumer-goods"


@pytest.fixture
def house_with(make_runtime, clock, tmp_path):
    """``house_with((stands, written), …)`` → a company whose complaint.yaml says otherwise."""

    def make(*changes):
        pack = Path(shutil.copytree(DEFAULT, tmp_path / "mine"))
        file = pack / "complaint.yaml"
        text = file.read_text()
        for stands, written in changes:
            assert stands in text
            text = text.replace(stands, written, 1)
        file.write_text(text)
        return House(make_runtime(build_service, pack=pack), clock).opened()

    return make


def local(clock):
    return datetime.fromisoformat(clock["due_at"]).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@pytest.mark.rule("TR-10")
@pytest.mark.parametrize("type_", ["complaint", "report", "inquiry", "opinion", "suggestion"])
def test_handled_and_answered_within_one_working_day(house_with, clock, type_):
    clock.travel_to(datetime(2026, 11, 20, 16, tzinfo=SHANGHAI))  # a Friday
    house = house_with(
        ("{within: 24 hours, clause: CG-14", "{within: 1 working day, clause: TR-10"),
        ("{within: {1: 3 working days,", "{within: {1: 1 working day,"),
    )

    case = Case(house, house.as_("fei").post("complaints", said(type=type_)))

    assert (local(case.clock("answer")), case.clock("answer")["clause"]) == ("2026-11-23 16:00", "TR-10")
    assert local(case.clock("resolution")) == "2026-11-23 16:00"
    clock.travel_to(datetime(2026, 11, 23, 15, 30, tzinfo=SHANGHAI))
    case.contacted().resolved()
    assert {case.clock(kind)["status"] for kind in ("answer", "resolution")} == {"met"}


@pytest.mark.rule("CC-07")
def test_an_inquiry_on_the_hotline_is_completed_within_48_hours(house_with, clock):
    inquiries = (
        "  inquiry: {within: 48 hours, starts: [receive], stops: [resolve], types: [inquiry, opinion, suggestion], "
        "channels: [hotline], clause: CC-07, warn_at: 75%, escalates: false}\n"
    )
    house = house_with(("  first_contact:", inquiries + "  first_contact:"))

    inquiry = Case(house, house.as_("fei").post("complaints", said(type="inquiry", subject="opening hours")))
    letter = Case(house, house.as_("fei").post("complaints", said(type="inquiry", channel="letter", subject="hours")))

    assert local(inquiry.clock("inquiry")) == "2026-11-22 10:00"
    assert "inquiry" not in [one["kind"] for one in letter.clocks]
    inquiry.contacted().resolved()
    assert inquiry.clock("inquiry")["status"] == "met"
    clock.travel_to(datetime(2026, 11, 22, 11, tzinfo=SHANGHAI))
    house.drain()
    assert inquiry.clock("inquiry")["status"] == "met"


def test_a_lunch_break_is_nobodys_working_time(make_runtime, clock, tmp_path):
    pack = Path(shutil.copytree(DEFAULT, tmp_path / "mine"))
    file = pack / "pack.yaml"
    hours = '    until: "18:00"             # no lunch break\n'
    assert hours in file.read_text()
    breaks = '    until: "18:00"\n    breaks: [{from: "12:00", until: "13:00"}]\n'
    file.write_text(file.read_text().replace(hours, breaks))
    house = House(make_runtime(build_service, pack=pack), clock).opened()

    case = Case(house, house.as_("fei").post("complaints", said()))

    first = case.clock("first_contact")
    assert "working hours 09:00–12:00, 13:00–18:00; 7 h on Friday" in first["explanation"]
    assert local(first) == "2026-11-23 10:00"
    assert datetime.fromisoformat(first["warn_at"]).astimezone(SHANGHAI).strftime("%d %H:%M") == "20 17:00"

"""How complaints go on: a story's course as deeds with their day, hour, doer and words.

``stories.yaml`` holds what was said; a course says who does what when. Days are working days before the demo's last
day, so that a story of day 8 whose handler answers a day later is answered on day 7, however the holidays lie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "stories.yaml"
Story = Mapping[str, Any]
HANDLER, APPROVER, DESK, CUSTOMER = "handler", "approver", "desk", "customer"


@dataclass(frozen=True)
class Deed:
    """Something that ``who`` does on a case: an action of the API, or ``receive`` and ``answer`` of its customer."""

    day: int
    at: str  # hour of the day, company time
    who: str
    action: str
    body: Mapping[str, Any]


# days after the complaint, hour, who, what. Each day has two sittings, which new cases and old ones share (everybody
# signs in for each); in the morning the old ones come first: what must be done within a day of an earlier deed is done
# before that hour.
_Step = tuple[int, str, str, str]
_HEARD: tuple[_Step, ...] = ((0, "10:30", HANDLER, "acknowledge"), (0, "10:30", HANDLER, "contact"))
_JUDGED: tuple[_Step, ...] = (*_HEARD, (0, "10:30", HANDLER, "triage"))
_CLEARED: tuple[_Step, ...] = (*_JUDGED, (1, "10:26", HANDLER, "investigate"))
_OFFERED: tuple[_Step, ...] = (*_CLEARED, (1, "10:26", HANDLER, "propose"))
_SOLVED: tuple[_Step, ...] = (*_OFFERED, (1, "16:30", HANDLER, "resolve"))
_ASKED: tuple[_Step, ...] = (*_SOLVED, (2, "10:26", DESK, "callback"))
_FRUITLESS = (2, "10:26", DESK, "attempt")
_AGAIN: tuple[_Step, ...] = (*_ASKED, (3, "10:26", HANDLER, "investigate_again"))
_NO_GROUND: tuple[_Step, ...] = (*_HEARD, (0, "10:30", HANDLER, "unfounded"))

COURSES: Mapping[str, tuple[_Step, ...]] = {
    "received": (),
    "anonymous": (),
    "ignored": (),
    "acknowledged": _HEARD[:1],
    "unreached": (*_HEARD[:1], (0, "10:30", HANDLER, "miss")),
    "spoken": _HEARD,
    "overdue": _HEARD,
    "triaged": _JUDGED,
    "repeat": _JUDGED,
    "deputised": _CLEARED,
    "investigating": _CLEARED,
    "handed_up": (*_JUDGED, (1, "10:26", HANDLER, "escalate")),
    "waiting_customer": (*_JUDGED, (1, "10:26", HANDLER, "wait")),
    "promised": (*_CLEARED, (1, "10:26", HANDLER, "promise")),
    "waiting_approval": _OFFERED,
    "approved": (*_OFFERED, (1, "10:29", APPROVER, "approve")),
    "calling": _SOLVED,
    "attempted": (*_SOLVED, _FRUITLESS, (3, "10:26", DESK, "attempt")),
    "not_reached": (*_SOLVED, _FRUITLESS, (3, "10:26", DESK, "attempt"), (4, "10:26", DESK, "attempt")),
    "satisfied": _ASKED,
    "by_link": (*_SOLVED, (2, "10:26", CUSTOMER, "answer")),
    "answered": (*_JUDGED, (0, "16:30", HANDLER, "resolve"), (1, "10:26", DESK, "callback")),
    "second_round_open": _AGAIN,
    "second_round": (
        *_AGAIN,
        (3, "10:26", HANDLER, "propose_again"),
        (3, "16:30", HANDLER, "resolve_again"),
        (4, "10:26", DESK, "callback_again"),
    ),
    "late_closed": tuple((day + 3, at, who, action) for day, at, who, action in _ASKED),
    "unfounded_open": _NO_GROUND,
    "unfounded_closed": (*_NO_GROUND, (1, "10:26", HANDLER, "resolve"), (2, "10:26", DESK, "callback")),
    "dropped": (*_HEARD, (1, "10:26", HANDLER, "withdraw")),
}

_CONTACTS = (
    "已致电顾客，记录经过并说明处理步骤与时限",
    "电话联系，顾客情绪平稳，同意等待核实结果",
    "已回电致歉，请顾客保留实物与小票",
    "与顾客通话约六分钟，诉求清楚，已告知直线电话",
    "已微信加电话联系，顾客补充照片两张",
)
_JUDGEMENTS = ("情况属实，予以受理", "与顾客描述一致，受理", "门店核实属实", "初步核实成立，转入调查")
_MISSES = ("两次拨打无人接听，已发短信", "电话关机，晚些再拨", "接通后顾客表示开会，改日再访")


def _noted(pool: tuple[str, ...]) -> Callable[[Story], str]:
    return lambda story: pool[sum(map(ord, story["subject"])) % len(pool)]


_CONTACT, _JUDGEMENT, _MISS = _noted(_CONTACTS), _noted(_JUDGEMENTS), _noted(_MISSES)


def _proposal(story: Story, again: str = "") -> dict[str, Any]:
    pay = story.get(f"pay{again}")
    if pay and "amount" in pay:
        pay = {**pay, "currency": "CNY"}
    return {"measures": story[f"measures{again}"], **({"compensation": pay} if pay else {})}


# step → the action of the API and its body, from what the story says
_BODIES: Mapping[str, tuple[str, Callable[[Story], dict[str, Any]]]] = {
    "acknowledge": ("acknowledge", lambda story: {}),
    "contact": ("contact", lambda story: {"kind": "first", "note": story.get("contact") or _CONTACT(story)}),
    "miss": ("contact", lambda story: {"kind": "first", "reached": False, "note": _MISS(story)}),
    "triage": ("triage", lambda story: {"founded": True, "note": _JUDGEMENT(story)}),
    "investigate": ("investigate", lambda story: {"cause": story["cause"], "note": story["found"]}),
    "investigate_again": ("investigate", lambda story: {"cause": story["cause"], "note": story["found_again"]}),
    "propose": ("propose", _proposal),
    "propose_again": ("propose", lambda story: _proposal(story, "_again")),
    "approve": ("approve", lambda story: {"note": "同意，尽快落实"}),
    "resolve": ("resolve", lambda story: {"answer": story["answer"]}),
    "resolve_again": ("resolve", lambda story: {"answer": story["answer_again"]}),
    "callback": ("callback", lambda story: {"satisfaction": story["score"], "comment": story.get("comment")}),
    "callback_again": (
        "callback", lambda story: {"satisfaction": story["score_again"], "comment": story["comment_again"]},
    ),
    "answer": ("answer", lambda story: {"satisfaction": story["score"], "comment": story["comment"]}),
    "attempt": ("attempt", lambda story: {"note": _MISS(story)}),
    "unfounded": ("unfounded", lambda story: {"reason": story["reason"]}),
    "withdraw": ("withdraw", lambda story: {"reason": story["reason"]}),
    "escalate": ("escalate", lambda story: {"reason": story["reason"]}),
    "wait": ("wait", lambda story: {"for": story["for"]}),
    "promise": ("promise", lambda story: {"in_days": story["due"], "reason": story["promise"]}),
}  # fmt: skip


@cache
def stories() -> tuple[Story, ...]:
    """All of them, in the order of the file: oldest first."""
    return tuple(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def deeds(story: Story) -> list[Deed]:
    """What is done about a story, its receipt first."""
    found = [Deed(story["day"], story.get("at", ""), _receiver(story), "receive", {})]
    for after, at, who, step in COURSES[story["course"]]:
        action, words = _BODIES[step]
        found.append(Deed(story["day"] - after, at, who, action, words(story)))
    return found


def _receiver(story: Story) -> str:
    return CUSTOMER if story["channel"].startswith("portal") else DESK

"""Whatever people do in whatever order: no step that the table does not know, no case that can neither act nor end."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from complaint.cases.lifecycle import BY_ITSELF, FINAL, LIFECYCLE, STATES

PEOPLE = ("li", "chen", "zhou", "sun", "fei", "admin", "wang")
BODIES: dict[str, list[dict[str, Any]]] = {
    "acknowledge": [{}],
    "contact": [{"kind": "first", "reached": True}, {"kind": "progress", "reached": False, "note": "nobody there"}],
    "progress": [{"note": "the maker was asked"}],
    "triage": [{"founded": True}, {"founded": False}, {"founded": True, "category": "safety.accident"}],
    "assign": [{"handler": "li"}, {"handler": "zhou"}, {"handler": "wang"}],
    "investigate": [{"cause": "product.quality", "note": "a loose cap"}],
    "propose": [
        {"measures": "exchange"},
        {"measures": "exchange", "compensation": {"amount": "150.00", "currency": "CNY"}},
        {"measures": "refund", "compensation": {"amount": "1500.00", "currency": "CNY"}},
    ],
    "approve": [{}],
    "resolve": [{"answer": "We are sorry."}],
    "compensate": [{"amount": "60.00", "currency": "CNY", "reason": "for the trouble"}],
    "attempt": [{"note": "nobody answered"}],
    "callback": [{"satisfaction": 1}, {"satisfaction": 3}, {"satisfaction": 4}, {"satisfaction": 5}],
    "promise": [{"due_at": "2027-01-04T02:00:00Z", "reason": "the part comes then"}],
    "wait": [{"for": "a photo"}],
    "resume": [{}],
    "unfounded": [{"reason": "another brand"}],
    "withdraw": [{"reason": "found the receipt"}],
    "escalate": [{"reason": "beyond me"}],
    "reopen": [{"reason": "it leaks again"}],
}
ANY_ACT = st.sampled_from([(action, body) for action, bodies in BODIES.items() for body in bodies])
START = datetime(2026, 11, 20, 2, tzinfo=UTC)
LONG = bool(os.environ.get("KEZHI_LONG"))


class History(RuleBasedStateMachine):
    """One case in a company where everybody tries everything. ``house`` and ``given`` are set by the test."""

    house: Any
    given: Any

    @initialize(level=st.sampled_from([1, 2, 3]), against=st.booleans(), named=st.booleans())
    def received(self, level: int, against: bool, named: bool) -> None:
        said: dict[str, Any] = {"against": {"kind": "staff", "ref": "wang"}} if against else {}
        self.hidden = against
        self.house.clock.travel_to(START)
        self.case = self.given(level=level, **said, **({} if named else {"complainant": None}))
        self.seen = self.case.now()

    @rule(act=ANY_ACT, who=st.sampled_from(PEOPLE))
    def somebody_tries(self, act: tuple[str, dict[str, Any]], who: str) -> None:
        action, body = act
        allowed = self.house.as_(who).get(f"complaints/{self.case.id}")
        self.does(action, body, who, allowed.body.get("allowed", []) if allowed.code == 200 else None)

    @rule(who=st.sampled_from(PEOPLE[:-1]), one=st.integers(0, 99), other=st.integers(0, 99))
    def somebody_does_what_is_allowed(self, who: str, one: int, other: int) -> None:
        """The way forward, so that histories get somewhere."""
        allowed = self.house.as_(who).get(f"complaints/{self.case.id}").allowed
        ways = [action for action in allowed if action not in ("withdraw", "escalate", "assign", "promise")]
        if ways:
            action = ways[one % len(ways)]
            self.does(action, BODIES[action][other % len(BODIES[action])], who, allowed)

    @rule(hours=st.sampled_from([1, 30, 200]))
    def time_goes_by(self, hours: int) -> None:
        self.house.clock.advance(hours=hours)
        self.house.drain()
        self.seen = self.case.now()

    def does(self, action: str, body: dict[str, Any], who: str, allowed: list[str] | None) -> None:
        before, answer = self.seen, self.case.act(action, body, by=who)
        self.seen = self.case.now()
        if answer.code != 200:
            assert answer.code in (403, 404, 409, 422), answer
            assert (self.seen.status, self.seen.version) == (before.status, before.version)
            return
        assert allowed is not None, f"{who} acted on what they must not know of"
        assert action in allowed, f"{who} did {action}; allowed were {allowed}"
        ways = {
            BY_ITSELF.get(to, to)
            for row in LIFECYCLE
            if row.action == action and before.status in row.sources
            for to in row.to or (before.status,)
        }
        assert self.seen.status in ways
        assert self.seen.level >= before.level
        assert self.seen.round - before.round in (0, 1)

    def teardown(self) -> None:
        """Nobody's load is left over for the next history."""
        if hasattr(self, "case") and self.seen.closed_at is None:
            self.case.act("withdraw", {"reason": "the history ends here"}, by="admin")

    @invariant()
    def it_can_act_or_has_ended(self) -> None:
        seen = self.seen
        assert seen.status in STATES
        assert seen.status not in BY_ITSELF
        assert seen.allowed, f"a case that is {seen.status} is stuck"
        assert (seen.closed_at is not None) == (seen.status in FINAL)
        running = [clock for clock in seen.clocks if clock["ended_at"] is None]
        assert not running if seen.status in FINAL else running
        assert len({(clock["kind"], clock["round"]) for clock in running}) == len(running)
        assert seen.next_due_at is None or seen.status not in FINAL
        if self.hidden:
            assert seen.handler != "wang"


@pytest.mark.timeout(3600 if LONG else 300)
def test_no_history_leaves_the_table_or_gets_stuck(house: Any, given_complaint: Any) -> None:
    machine = type("OneHistory", (History,), {"house": house, "given": staticmethod(given_complaint)})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if LONG else 12,
            stateful_step_count=40 if LONG else 20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

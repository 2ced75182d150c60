"""complaint.yaml: the default pack says what the company's numbers are, and a slip of the pen is told with its mend."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from chassis.policies.pack import from_documents, load, read_documents
from chassis.policies.problems import PolicyRefused
from chassis.policies.units import Duration
from complaint.policy import SECTION

PACK = Path(__file__).parents[4] / "policies" / "consumer-goods"
FILE = "consumer-goods/complaint.yaml"


@pytest.fixture(scope="module")
def policy():
    return SECTION.read(load(PACK))


@pytest.fixture(scope="module")
def documents():
    return read_documents(PACK)


def days(*amounts):
    return {level: Duration(amount, "working day") for level, amount in enumerate(amounts, 1)}


@pytest.mark.rule("FR-04", "FR-06", "IS-01", "CG-14", "CG-15")
def test_the_clocks_of_the_default_pack(policy):
    clocks = policy.clocks

    assert clocks["first_contact"].within == days(1, 1, 1)
    assert clocks["answer"].within == dict.fromkeys((1, 2, 3), Duration(24, "hour"))
    assert clocks["progress"].within == {**days(1, 3, 1), 1: Duration(7, "day")}
    assert clocks["progress"].recurring
    assert clocks["resolution"].within == days(3, 5, 10)
    assert (clocks["callback"].within, clocks["callback"].after) == (days(2, 2, 2), "resolved")
    assert clocks["approval"].within == days(1, 1, 1)
    assert clocks["promise"].within == {}
    assert {rule.warn_at for rule in clocks.values()} == {Decimal("0.75")}
    assert policy.waiting.pauses == {"answer", "progress", "resolution"}


def test_the_levels_of_the_default_pack(policy):
    third, second, first = policy.levels

    assert [(rule.level, rule.handler) for rule in policy.levels] == [
        (3, "store_manager"),
        (2, "service_manager"),
        (1, "handler"),
    ]
    assert first.conditions == ()
    named = {name for condition in third.conditions for name in condition.categories}
    assert all(policy.categories.covers(named, code) for code in (
        "safety.food_poisoning", "safety.spoiled_food", "product.expired", "product.batch_quality"
    ))  # fmt: skip
    assert not policy.categories.covers(named, "product.quality")
    assert [condition.value_from for condition in third.conditions if condition.value_from] == [Decimal(2000)]
    assert [condition.value_from for condition in second.conditions if condition.value_from] == [Decimal(500)]
    assert frozenset({"supervisor", "service_manager", "store_manager", "director"}) in [
        condition.against_roles for condition in third.conditions
    ]
    assert Duration(30, "day") in [condition.repeats_within for condition in second.conditions]
    assert any(condition.insists for condition in second.conditions)


def test_the_rest_of_the_default_pack(policy):
    assert policy.escalation.above("handler") == "service_manager"
    assert policy.escalation.above("director") is None
    assert policy.escalation.waits("product.quality")
    assert not policy.escalation.waits("safety.accident")
    assert policy.satisfaction.closes == {1, 2, 3}
    assert policy.satisfaction.attempts == 3
    assert policy.compensation.money(250) == Decimal("2.5")
    assert policy.kpis.first_contact_on_time == Decimal("0.98")
    assert (policy.kpis.callback_rate, policy.kpis.satisfaction) == (Decimal("0.95"), Decimal("0.85"))
    assert len(policy.categories.codes) == 24
    assert policy.categories.known("policy")
    assert not policy.categories.known("product")


BROKEN = [
    ("accepted: [hotline,", "accepted: [hotlin,", "did you mean `hotline`?"),
    ("backdated_by: [front_desk, handler]", "backdated_by: [frontdesk]", "did you mean `front_desk`?"),
    ("anonymous: true", "anonymous: yes", "true or false"),
    ("required: [received_at,", "required: [receivedat,", "did you mean `received_at`?"),
    ("product: [quality, price,", "product: [quality, quality,", "is there twice"),
    ("- level: 3", "- level: 4", "not between 1 and 3"),
    ("- level: 3", "- level: 2", "the level `2` is there twice"),
    ("handler: store_manager", "handler: storemanager", "did you mean `store_manager`?"),
    ("handler: store_manager", "handler: finance", "nowhere on the escalation ladder"),
    ("category: [safety, product.expired", "category: [safty, product.expired", "did you mean `safety`?"),
    ("category: [service.attitude]", "category: [service.atitude]", "did you mean `service.attitude`?"),
    ("channel: regulator", "channel: regulater", "did you mean `regulator`?"),
    ("value_from: 2000 CNY", "value_from: 2000", "an amount of money"),
    ("value_from: 2000 CNY", "value_from: 2000 USD", "not the company's currency"),
    ("against: supervisor or above", "against: boss or above", "no role of this company"),
    ("insists: on a superior", "insists: loudly", "is not known here"),
    ("repeats_within: 30 days", "repeats_within: 30 working days", "cannot be counted in working days"),
    ("    handler: handler\n", "    handler: handler\n    when: [{channel: hotline}]\n", "would have no level"),
    ("{within: 1 working day, clause: CG-13", "{withn: 1 working day, clause: CG-13", "did you mean `within`?"),
    ("{within: 1 working day, clause: CG-13, w", "{clause: CG-13, w", "`within` or `every`, one of them"),
    ("{within: 24 hours, clause: CG-14, warn_at: 75%", "{within: 24 hours, warn_at: 75%", "names no clause"),
    ("{within: 24 hours, clause: CG-14, warn_at: 75%", "{within: 24 hours, clause: CG-14", "`warn_at` is missing"),
    ("{within: 24 hours, clause: CG-14, warn_at: 75%", "{within: 24 hours, clause: CG-14, warn_at: 100%", "warning"),
    ("{within: 24 hours, clause", "{within: 2 months, clause", "cannot be counted in months"),
    ("{1: 7 days, 2: 3 working days, 3:", "{1: 7 days, 3:", "`2` is missing"),
    ("after: resolved", "after: resolve", "did you mean `resolved`?"),
    ("after: resolved, ", "", "a call-back has no beginning"),
    ("  approval:      {within", "  aproval:      {within", "the clock `approval` is missing"),
    ("extended_by: new promise with reason, clause", "extended_by: nobody, clause", "is not known here"),
    ("pauses: [answer, progress, resolution]", "pauses: [answers]", "did you mean `answer`?"),
    ("ladder: [handler, service_manager", "ladder: [handler, handler", "the role `handler` is there twice"),
    ("unresolved_level_3: director", "unresolved_level_3: finance", "nowhere on the ladder"),
    ("at_night: waits for working hours", "at_night: sleeps", "is not known here"),
    ("unless: [safety]", "unless: [safetyy]", "did you mean `safety`?"),
    ("closes: [1, 2, 3]", "closes: [1, 2, 7]", "7 is not on the scale"),
    ("closes: [1, 2, 3]", "closes: [1, 2, 3, 4, 5]", "every answer would close"),
    ("attempts: 3", "attempts: 0", "not between 1 and 20"),
    ("raise: 1", "raise: 5", "not between 0 and 2"),
    ("top: general_manager_meeting", "top: nobody", "is not known here"),
    ("points: 100 points", "points: 100", "an amount in points"),
    ("summed_over: case", "summed_over: payment", "is not known here"),
    ("first_contact_on_time: 98%", "first_contact_on_time: 0.98", "a share belongs here"),
    ("callback_rate: 95%", "callback_rate: 950%", "more than 100%"),
    ("rhythm: [weekly, monthly]", "rhythm: [dayly]", "is not known here"),
    ("least_group: 5", "least_group: none", "a whole number"),
    ("escalation:\n", "escalations:\n", "did you mean `escalation`?"),
]


@pytest.mark.parametrize(("stands", "written", "words"), BROKEN, ids=[row[1][:40] for row in BROKEN])
def test_a_slip_of_the_pen_is_told_with_its_place_and_its_mend(documents, stands, written, words):
    text = documents[FILE]
    assert stands in text, "the pack no longer says so"
    broken = from_documents({**documents, FILE: text.replace(stands, written, 1)})

    with pytest.raises(PolicyRefused) as refused:
        SECTION.read(broken)

    said = [str(problem) for problem in refused.value.problems]
    assert any(words in line for line in said), said
    assert all(problem.file == FILE and problem.line > 1 and problem.mend for problem in refused.value.problems)


def test_a_company_may_have_clocks_of_its_own(documents):
    own_clock = (
        "  inquiry_answered: {within: 48 hours, starts: [receive], stops: [resolve], types: [inquiry, opinion], "
        "channels: [hotline], clause: CC-07, warn_at: 50%, escalates: false}\n"
    )
    text = documents[FILE].replace("  first_contact:", own_clock + "  first_contact:", 1)

    policy = SECTION.read(from_documents({**documents, FILE: text}))

    own = policy.clocks["inquiry_answered"]
    assert (own.starts, own.stops, own.escalates) == (("receive",), ("resolve",), False)
    assert own.speaks_of("inquiry", "hotline")
    assert not own.speaks_of("complaint", "hotline")
    assert not own.speaks_of("inquiry", "letter")

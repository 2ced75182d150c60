"""State × relation to the case → what may be done: one table, written and reviewed by people (``relations.txt``).

``KEZHI_WRITE=1 pytest services/complaint/tests/test_relations.py`` writes the code's present view: compare, think, and
only then keep it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .cases.test_who_sees_what import ABOUT_WANG, BODIES

FILE = Path(__file__).with_name("relations.txt")
RELATIONS = {  # who stands how to the case; the people of `House`, and some more
    "handler": "li",
    "colleague": "bo",
    "service-manager": "chen",
    "store-manager": "zhou",
    "director": "sun",
    "recorder": "fei",
    "supervisor": "wei",
    "auditor": "aud",
    "other-store": "hu",
    "accused": "wang",
    "under-accused": "ma",
    "administrator": "admin",
    "portal": "portal",
}
STATES: dict[str, Callable[[Any], Any]] = {
    "received": lambda case: case,
    "acknowledged": lambda case: case.acknowledged(),
    "triaged": lambda case: case.triaged(),
    "investigating": lambda case: case.investigated(),
    "proposed": lambda case: case.proposed(amount="50.00", currency="CNY"),
    "proposed-above-limit": lambda case: case.proposed(amount="500.00", currency="CNY"),
    "approved": lambda case: case.proposed(amount="500.00", currency="CNY").does("approve", by="chen"),
    "unfounded": lambda case: case.triaged(founded=False),
    "waiting": lambda case: case.triaged().does("wait", {"for": "a photograph"}),
    "calling-back": lambda case: case.resolved(),
    "closed": lambda case: case.closed(),
}
HEAD = """\
# What may be done with a case, by its state and by how somebody stands to it. It is a store's case, against `accused`.
# A number alone: the answer to whoever asks (404: it does not exist for them; 403: not with this role).
"""


@pytest.fixture
def people(house: Any) -> Any:
    """Somebody for every relation; the accused and their people hold roles that would let them act."""
    house.company.employ("bo", ["handler"], unit="SH001", superior="chen")
    house.company.employ("wei", ["supervisor"])
    house.company.employ("aud", ["auditor"])
    house.company.employ("hu", ["service_manager"], unit="SH002")
    house.company.employ("wang", ["account_manager", "administrator"], unit="SH001", superior="zhou")
    house.company.employ("ma", ["director"], unit="SH001", superior="wang")
    return house


@pytest.mark.rule("TR-11")
@pytest.mark.rule("ML-02")
@pytest.mark.timeout(240)
def test_everybody_may_exactly_what_the_table_says(people: Any, given_complaint: Any) -> None:
    lines = [line for state in STATES for line in seen(people, given_complaint, state)]
    if os.environ.get("KEZHI_WRITE"):
        FILE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")

    assert lines == [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def seen(people: Any, given_complaint: Any, state: str) -> Iterator[str]:
    """The lines of one state; what is not allowed is tried and must be refused without a trace."""
    yield ""
    case = given_complaint(against=ABOUT_WANG)
    assert case.handler in ("li", "bo")
    relations = RELATIONS if case.handler == "li" else {**RELATIONS, "handler": "bo", "colleague": "li"}
    STATES[state](case)
    before = case.now().body
    for relation, who in relations.items():
        answer = people.as_(who).get(f"complaints/{case.id}")
        allowed = answer.allowed if answer.code == 200 else []
        for action in BODIES.keys() - set(allowed):
            refused = people.as_(who).post(f"complaints/{case.id}/{action}", BODIES[action]).code
            assert refused in ((403, 409) if answer.code == 200 else (answer.code,)), (state, relation, action, refused)
        yield f"{state:<22}{relation:<17}{' '.join(allowed) or ('reads' if answer.code == 200 else answer.code)}"
    assert case.now().body == before

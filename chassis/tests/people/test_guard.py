"""Who must not learn of a matter: the accused and everyone below them, however deep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import people
from chassis.people import guard
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.testkit.people import Company
from chassis.web.principal import Principal, system

AGAINST_ZHOU = [{"staff": "zhou", "with_subordinates": True}]
AGAINST_THE_HEAD = [{"staff": "zhou", "with_subordinates": False}]


class _Base(DeclarativeBase):
    pass


class Matter(guard.HiddenFrom, _Base):
    """Something that may be hidden."""

    __tablename__ = "matter"
    name: Mapped[str] = mapped_column(primary_key=True)


def staff(username: str, *roles: str) -> Principal:
    return Principal(f"id-{username}", username, "staff", "/", frozenset(roles))


@pytest.fixture
def company(make_runtime: Callable[..., Runtime]) -> Runtime:
    """Zhao above Zhou above Li above Sun; Qian stands beside them."""
    migrations = Path(__file__).parents[1] / "web" / "sample_migrations"
    runtime = make_runtime(Service("sample", "Sample", "1", migrations, subscriptions=(people.subscription(),)))
    staff = Company(runtime)
    staff.employ("zhao", ["director"])
    staff.employ("zhou", ["store_manager"], superior="zhao")
    staff.employ("li", ["handler"], superior="zhou")
    staff.employ("sun", ["handler"], superior="li")
    staff.employ("qian", ["handler"], superior="zhao")
    return runtime


def seen_by(runtime: Runtime, principal: Principal, hidden_from: list[dict[str, Any]]) -> bool:
    """What the value form says; the SQL form must agree."""
    with runtime.sessions.begin() as session:
        who = guard.viewer(session, principal)
        _Base.metadata.create_all(session.connection())
        session.add(Matter(name="the matter", **guard.as_columns(hidden_from)))
        session.flush()
        row = session.scalars(select(Matter)).one()
        listed = session.scalar(select(Matter.name).where(who.sees(Matter))) is not None
        assert who.may_see_row(row) == who.may_see(hidden_from) == listed
        session.rollback()
    return listed


@pytest.mark.rule("TR-11")
@pytest.mark.parametrize(
    ("username", "against_zhou", "against_the_head"),
    [
        ("zhou", False, False),
        ("li", False, True),  # works under Zhou
        ("sun", False, True),  # and so does who works under Li
        ("zhao", True, True),
        ("qian", True, True),
        ("stranger", True, True),
    ],
)
def test_the_accused_and_their_subordinates_see_nothing(
    company: Runtime, username: str, against_zhou: bool, against_the_head: bool
) -> None:
    assert seen_by(company, staff(username), AGAINST_ZHOU) is against_zhou
    assert seen_by(company, staff(username), AGAINST_THE_HEAD) is against_the_head
    assert seen_by(company, staff(username), [])


@pytest.mark.rule("TR-11")
def test_the_administrator_is_no_exception_but_the_service_itself_is(company: Runtime) -> None:
    assert not seen_by(company, staff("zhou", "administrator"), AGAINST_ZHOU)
    assert seen_by(company, system("complaint"), AGAINST_ZHOU)


def test_a_line_that_bites_its_own_tail_ends(company: Runtime) -> None:
    Company(company, told=100).employ("zhao", ["director"], superior="sun")

    with company.sessions() as session:
        assert guard.line_of(session, "qian") == {"qian", "zhao", "sun", "li", "zhou"}
        assert guard.subordinates_of(session, "zhou") == {"li", "sun", "zhao", "qian"}

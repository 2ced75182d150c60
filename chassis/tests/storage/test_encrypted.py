"""Encrypted columns: unreadable without the key, silent in logs, and rewritten when keys are rotated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from chassis.service import Service
from chassis.storage.encrypted import Encrypted, NoFieldKeys, encrypted_columns, rekey
from chassis.storage.engine import make_engine

SERVICE = Service("letters", "Letters", "1", Path(__file__).parent / "sample_migrations")
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


class Base(DeclarativeBase):
    pass


class Letter(Base):
    __tablename__ = "letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str | None] = mapped_column(Encrypted)


@pytest.fixture
def runtime(make_runtime):
    return make_runtime(SERVICE, field_keys=(OLD,))


def sessions_with(runtime, *keys):
    return sessionmaker(make_engine(replace(runtime.settings, field_keys=keys)))


def stored(runtime):
    with runtime.sessions() as session:
        return list(session.scalars(text("SELECT phone FROM letter ORDER BY id")))


def test_the_database_never_sees_the_text(runtime):
    with runtime.sessions.begin() as session:
        session.add_all([Letter(id=1, phone="13800000001"), Letter(id=2, phone="13800000001"), Letter(id=3)])

    first, second, nothing = stored(runtime)
    assert "138" not in first
    assert first != second  # equal phones can't be recognised either
    assert nothing is None
    with runtime.sessions() as session:
        phone = session.get_one(Letter, 1).phone
        assert phone == "13800000001"
        assert repr(phone) == "Secret('…')"
        assert "138" not in f"{phone!r}"


def test_rotation_reads_both_keys_rewrites_all_rows_and_then_needs_the_old_key_no_more(runtime):
    with runtime.sessions.begin() as session:
        session.add_all([Letter(id=n, phone=f"138{n:08}") for n in range(1, 26)])
    both = sessions_with(runtime, NEW, OLD)
    with both.begin() as session:
        assert session.get_one(Letter, 7).phone == "13800000007"
        session.add(Letter(id=99, phone="fresh"))

    assert rekey(both, Letter.__table__.c.phone, batch=10) == 25
    assert rekey(both, Letter.__table__.c.phone, batch=10) == 0

    with sessions_with(runtime, NEW)() as session:
        assert [letter.phone for letter in session.query(Letter).order_by(Letter.id)][-2:] == ["13800000025", "fresh"]
    assert Letter.__table__.c.phone in list(encrypted_columns())


def test_a_process_without_the_right_key_says_which_setting_is_wrong(runtime):
    with runtime.sessions.begin() as session:
        session.add(Letter(id=1, phone="13800000001"))

    with sessions_with(runtime)() as session, pytest.raises(StatementError, match="set KEZHI_FIELD_KEYS"):
        session.execute(Letter.__table__.insert().values(id=2, phone="1"))
    with sessions_with(runtime, NEW)() as session, pytest.raises(NoFieldKeys, match="removed too early"):
        session.get(Letter, 1)
    with pytest.raises(NoFieldKeys, match="44 characters"):
        sessions_with(runtime, "not-a-key")

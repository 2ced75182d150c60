"""Due rows: done once however many pollers there are and whenever one is killed; a failure never loses its row."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from chassis.runtime import start_runtime
from chassis.service import Service
from chassis.timing.due import AT_ONCE, DuePoller, DueRow, cancel, pause_after, schedule, schedule_many

LINE = Path(__file__).parents[1] / "storage" / "sample_migrations"
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


def write_effect(context, row):
    context.session.execute(text("INSERT INTO effect (key) VALUES (:key)"), {"key": row.key})


def service_doing(**handlers):
    return Service("sample", "Sample", "1", LINE, due=handlers)


def effects(runtime):
    with runtime.sessions() as session:
        return list(session.scalars(text("SELECT key FROM effect ORDER BY id")))


def rows(runtime):
    with runtime.sessions() as session:
        return list(session.scalars(select(DueRow).order_by(DueRow.key)))


def test_a_row_is_done_at_its_time_and_not_before(make_runtime, clock):
    runtime = make_runtime(service_doing(remind=write_effect))
    poller = DuePoller(runtime)
    with runtime.context() as context:
        schedule(context.session, "remind", "later", NOW + timedelta(hours=1), {"who": "me"})
        schedule(context.session, "remind", "never", NOW + timedelta(hours=1))
        schedule(context.session, "remind", "soon", NOW + timedelta(days=9))
        schedule(context.session, "remind", "soon", NOW)  # moved
        assert cancel(context.session, "remind", "never")
        assert not cancel(context.session, "remind", "never")

    assert poller.tick() == 1
    assert effects(runtime) == ["soon"]
    clock.advance(hours=1)
    assert poller.tick() == 1
    assert poller.tick() == 0
    assert effects(runtime) == ["soon", "later"]
    assert rows(runtime) == []


def test_a_failure_keeps_the_row_with_its_error_and_stops_nothing_else(make_runtime, clock):
    broken = [True]

    def handle(context, row):
        write_effect(context, row)
        if row.key == "b" and broken[0]:
            context.session.execute(text("SELECT 1/0"))

    runtime = make_runtime(service_doing(work=handle))
    with runtime.context() as context:
        schedule_many(context.session, "work", [(key, NOW, {}) for key in "abc"])

    assert DuePoller(runtime).drain() == 3
    assert effects(runtime) == ["a", "c"]
    (left,) = rows(runtime)
    assert (left.attempts, left.due_at, left.try_at) == (1, NOW, NOW + timedelta(seconds=5))
    assert "DivisionByZero" in left.error

    clock.advance(seconds=5)
    DuePoller(runtime).tick()
    assert rows(runtime)[0].try_at == clock.now() + timedelta(seconds=10)
    broken[0] = False
    clock.advance(seconds=10)
    DuePoller(runtime).tick()
    assert effects(runtime) == ["a", "c", "b"]
    assert rows(runtime) == []


def test_the_pause_grows_to_an_hour():
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 10, 500)] == [5, 10, 20, 2560, 3600]


def test_a_handler_may_schedule_its_own_next_turn(make_runtime, clock):
    def every_hour(context, row):
        write_effect(context, row)
        schedule(context.session, row.kind, row.key, row.due_at + timedelta(hours=1))

    runtime = make_runtime(service_doing(tick=every_hour))
    with runtime.context() as context:
        schedule(context.session, "tick", "t", NOW)
    for _ in range(3):
        DuePoller(runtime).tick()
        clock.advance(hours=1)
    assert effects(runtime) == ["t", "t", "t"]


def test_kinds_of_another_version_are_left_for_it(make_runtime):
    runtime = make_runtime(service_doing(known=write_effect))
    with runtime.context() as context:
        schedule(context.session, "from-the-future", "x", NOW)
    assert DuePoller(runtime).tick() == 0
    assert [row.attempts for row in rows(runtime)] == [0]


def test_several_pollers_share_the_work_and_double_nothing(make_runtime):
    runtime = make_runtime(service_doing(work=write_effect), pool_size=8)
    with runtime.context() as context:
        schedule_many(context.session, "work", [(f"{n:04}", NOW, {}) for n in range(600)])

    pollers = [threading.Thread(target=DuePoller(runtime).drain) for _ in range(4)]
    for poller in pollers:
        poller.start()
    for poller in pollers:
        poller.join()
    DuePoller(runtime).drain()  # a poller that met only locked rows left early
    assert sorted(effects(runtime)) == [f"{n:04}" for n in range(600)]


def poll_for_ever(service, settings):
    """A worker process of its own, as far as the database can tell; forked, since imports are slow."""
    DuePoller(start_runtime(service, settings), interval=0.02).run(threading.Event())


def await_that(condition):
    patience = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.05)


def test_pollers_killed_at_work_lose_and_double_nothing(make_runtime):
    def dawdle(context, row):
        write_effect(context, row)
        time.sleep(0.01)

    slow = service_doing(work=dawdle)
    runtime = make_runtime(slow)
    fork = multiprocessing.get_context("fork").Process
    pollers = [fork(target=poll_for_ever, args=(slow, runtime.settings), daemon=True) for _ in range(3)]
    try:
        for poller in pollers:
            poller.start()
        with runtime.context() as context:
            schedule_many(context.session, "work", [(f"{n:04}", NOW - timedelta(days=365), {}) for n in range(300)])
        for victim in pollers[:2]:
            done = len(effects(runtime))
            await_that(lambda done=done: len(effects(runtime)) > done)  # in the middle of the work
            os.kill(victim.pid, signal.SIGKILL)
        assert rows(runtime)
        await_that(lambda: not rows(runtime))
    finally:
        for poller in pollers:
            poller.kill()
            poller.join()
    assert sorted(effects(runtime)) == [f"{n:04}" for n in range(300)]


def test_a_poller_stops_when_told(make_runtime):
    runtime = make_runtime(service_doing(work=write_effect))
    stop = threading.Event()
    thread = threading.Thread(target=DuePoller(runtime, interval=30).run, args=(stop,))
    thread.start()
    with runtime.context() as context:
        schedule(context.session, "work", "x", NOW)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize(("idle", "pause"), [(0.0, AT_ONCE), (0.4, 0.1), (2.0, 0.5), (3600.0, 0.5)])
def test_it_looks_away_longer_the_longer_nothing_came(make_runtime, idle, pause):
    assert DuePoller(make_runtime(service_doing()))._pause(idle) == pytest.approx(pause)


def test_open_rows_by_the_hundred_thousand_are_not_read_when_none_is_due(make_runtime):
    runtime = make_runtime(service_doing(work=write_effect))
    with runtime.context() as context:
        context.session.execute(
            text(
                "INSERT INTO chassis.due (kind, key, due_at, try_at) "
                "SELECT 'work', n::text, t, t FROM generate_series(1, 20000) n, (SELECT CAST(:at AS timestamptz) t) x"
            ),
            {"at": NOW + timedelta(days=1)},
        )
        context.session.execute(text("ANALYZE chassis.due"))
        plan = context.session.scalars(
            text(
                "EXPLAIN SELECT * FROM chassis.due WHERE try_at <= :now AND kind = ANY(:kinds) "
                "ORDER BY try_at, kind, key LIMIT 50"
            ),
            {"now": NOW, "kinds": ["work"]},
        )
        assert "ix_due_try_at" in "\n".join(plan)


def test_a_moved_row_starts_afresh(make_runtime):
    def fail(context, row):
        raise RuntimeError("not today")

    runtime = make_runtime(service_doing(work=fail))
    with runtime.context() as context:
        schedule(context.session, "work", "x", NOW)
    DuePoller(runtime).tick()
    assert rows(runtime)[0].attempts == 1
    with runtime.context() as context:
        schedule(context.session, "work", "x", NOW + timedelta(days=1))
    (row,) = rows(runtime)
    assert (row.attempts, row.error, row.try_at) == (0, None, NOW + timedelta(days=1))

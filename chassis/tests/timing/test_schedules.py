"""Schedules: each turn is run once by whoever is alive, in company time; missed turns are made up for by one run."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from chassis.service import Schedule, Service
from chassis.timing.schedules import ScheduleRow, ScheduleRunner, next_turn

LINE = Path(__file__).parents[1] / "storage" / "sample_migrations"


def service_running(run, cron="0 3 * * *", name="nightly"):
    return Service("sample", "Sample", "1", LINE, schedules=(Schedule(name, cron, run),))


def note(context):
    context.session.execute(text("INSERT INTO effect (key) VALUES (:at)"), {"at": context.clock.now().isoformat()})
    return False


def effects(runtime):
    with runtime.sessions() as session:
        return session.scalar(text("SELECT count(*) FROM effect"))


def row(runtime):
    with runtime.sessions() as session:
        return session.scalars(select(ScheduleRow)).one()


@pytest.mark.parametrize(
    ("cron", "after", "turn"),
    [
        ("0 3 * * *", "2026-11-20T02:00Z", "2026-11-20T19:00Z"),  # 03:00 in Shanghai
        ("0 3 1 * *", "2026-11-20T02:00Z", "2026-11-30T19:00Z"),
        ("*/15 * * * *", "2026-11-20T02:00Z", "2026-11-20T02:15Z"),
    ],
)
def test_turns_are_in_company_time(cron, after, turn):
    assert next_turn(cron, "Asia/Shanghai", datetime.fromisoformat(after)) == datetime.fromisoformat(turn)


def test_an_hour_that_the_clock_change_skips_is_run_all_the_same():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert next_turn("30 2 * * *", "Europe/Berlin", before).date() == datetime(2026, 3, 29, tzinfo=UTC).date()


def test_a_turn_is_run_at_its_time_and_missed_turns_once(make_runtime, clock):
    runtime = make_runtime(service_running(note))
    runner = ScheduleRunner(runtime)

    assert runner.tick() == 0  # entered, with its first turn to come
    clock.travel_to(datetime(2026, 11, 20, 19, tzinfo=UTC))
    assert [runner.tick(), runner.tick()] == [1, 0]
    clock.advance(days=4, hours=1)
    assert [runner.tick(), runner.tick()] == [1, 0]

    assert effects(runtime) == 2
    assert row(runtime).next_at == datetime(2026, 11, 25, 19, tzinfo=UTC)
    assert row(runtime).finished_at == clock.now()


def test_many_workers_run_a_turn_once_and_all_its_steps(make_runtime, clock):
    def five_steps(context):
        note(context)
        return context.session.scalar(text("SELECT count(*) FROM effect")) < 5

    runtime = make_runtime(service_running(five_steps), pool_size=8)
    ScheduleRunner(runtime).tick()
    clock.advance(days=1)
    workers = [threading.Thread(target=ScheduleRunner(runtime).tick) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ScheduleRunner(runtime).tick()
    assert effects(runtime) == 5


def test_a_turn_that_was_cut_off_is_taken_up_by_the_next_worker(make_runtime, clock):
    class Killed(BaseException):
        """What SIGKILL leaves: a step that committed, and one that did not."""

    doomed = [False]

    def three_steps(context):
        note(context)
        done = context.session.scalar(text("SELECT count(*) FROM effect"))
        if done == 2 and doomed[0]:
            raise Killed
        return done < 3

    runtime = make_runtime(service_running(three_steps))
    ScheduleRunner(runtime).tick()
    clock.advance(days=1)
    doomed[0] = True
    with pytest.raises(Killed):
        ScheduleRunner(runtime).tick()
    assert effects(runtime) == 1
    doomed[0] = False

    assert ScheduleRunner(runtime).tick() == 1
    assert effects(runtime) == 3


def test_a_failing_step_is_tried_again_later_and_keeps_its_error(make_runtime, clock):
    broken = [True]

    def run(context):
        note(context)
        if broken[0]:
            raise RuntimeError("the disk is full")
        return False

    runtime = make_runtime(service_running(run))
    runner = ScheduleRunner(runtime)
    runner.tick()
    clock.advance(days=1)
    turn = row(runtime).next_at
    assert [runner.tick(), runner.tick()] == [0, 0]
    failed = row(runtime)
    assert (failed.attempts, failed.error, failed.next_at) == (1, "RuntimeError: the disk is full", turn)
    broken[0] = False
    clock.advance(seconds=5)
    assert runner.tick() == 1
    assert effects(runtime) == 1
    assert (row(runtime).attempts, row(runtime).error) == (0, None)


def test_a_changed_expression_counts_from_now(make_runtime, clock):
    runtime = make_runtime(service_running(note))
    ScheduleRunner(runtime).tick()
    changed = make_runtime(service_running(note, cron="0 11 * * *"), database_url=runtime.settings.database_url)
    ScheduleRunner(changed).tick()
    assert row(changed).next_at == datetime(2026, 11, 20, 3, tzinfo=UTC)

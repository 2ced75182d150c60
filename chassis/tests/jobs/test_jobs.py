"""Jobs: step by step, resumable, and readable by whoever started them."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from chassis import jobs
from chassis.errors import Invalid
from chassis.jobs import JobRow, note_error, runs
from chassis.service import Service
from chassis.testkit.tokens import staff_id
from chassis.timing.due import DuePoller
from chassis.web.principal import Principal

LINE = Path(__file__).parents[1] / "storage" / "sample_migrations"
CLERK = Principal(staff_id("clerk"), "clerk", "staff", "/", frozenset({"clerk"}))


def service_with(step):
    return Service("sample", "Sample", "1", LINE, due={"job:import": runs(step)})


def import_three(context, job):
    job.total = 3
    job.done += 1
    context.session.execute(text("INSERT INTO effect (key) VALUES (:n)"), {"n": str(job.done)})
    if job.done == 2:
        note_error(context.session, job, 2, "no such customer")
    if job.done == 3:
        job.result = {"imported": 2}
    return job.done < 3


def begin(runtime, **params):
    with runtime.context() as context:
        return jobs.start(context.session, context.clock, "import", params, CLERK).id


def job_of(runtime, job_id):
    with runtime.sessions() as session:
        return session.get_one(JobRow, job_id)


def test_a_job_runs_step_by_step_to_its_result(make_runtime, client):
    runtime = make_runtime(service_with(import_three))
    clerk = client(runtime, roles=["clerk"], username="clerk")
    here = f"/api/v1/services/sample/jobs/{begin(runtime)}"

    assert clerk.get(here).json["status"] == "queued"
    assert clerk.get(f"{here}/result").status_code == 404
    DuePoller(runtime).tick()
    half = clerk.get(here).json
    assert (half["status"], half["done"], half["total"], half["result_url"]) == ("running", 1, 3, None)

    DuePoller(runtime).drain()
    done = clerk.get(here).json
    assert (done["status"], done["done"]) == ("done", 3)
    assert clerk.get(done["result_url"]).json["result"] == {"imported": 2}
    assert clerk.get(done["errors_url"]).json["items"] == [{"position": 2, "message": "no such customer"}]


def test_only_the_starter_and_those_who_oversee_jobs_see_it(make_runtime, client):
    runtime = make_runtime(service_with(import_three))
    here = f"/api/v1/services/sample/jobs/{begin(runtime)}"

    assert client(runtime, roles=["clerk"], username="other").get(here).status_code == 404
    assert client(runtime, roles=["clerk"], username="clerk").get("/api/v1/services/sample/jobs").status_code == 403
    auditor = client(runtime, roles=["auditor"], username="auditor")
    assert auditor.get(here).status_code == 200
    assert len(auditor.get("/api/v1/services/sample/jobs").json["items"]) == 1
    assert auditor.get(f"/api/v1/services/sample/jobs/{uuid.uuid4()}").status_code == 404


def test_a_refusal_ends_the_job_with_its_words_and_undoes_the_step(make_runtime):
    def refuse(context, job):
        context.session.execute(text("INSERT INTO effect (key) VALUES ('x')"))
        job.done = 7
        raise Invalid("line 3 is no customer")

    runtime = make_runtime(service_with(refuse))
    job_id = begin(runtime)
    DuePoller(runtime).drain()

    job = job_of(runtime, job_id)
    assert (job.status, job.error, job.done) == ("failed", "line 3 is no customer", 0)
    with runtime.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM effect")) == 0
        assert session.scalar(text("SELECT count(*) FROM chassis.due")) == 0


@pytest.mark.parametrize(("failures", "status"), [(2, "done"), (99, "failed")])
def test_other_failures_are_tried_again_a_few_times(make_runtime, clock, failures, status):
    left = [failures]

    def shaky(context, job):
        if left[0]:
            left[0] -= 1
            raise RuntimeError("secret detail")
        return import_three(context, job)

    runtime = make_runtime(service_with(shaky))
    job_id = begin(runtime)
    for _ in range(8):
        DuePoller(runtime).drain()
        clock.advance(hours=1)

    job = job_of(runtime, job_id)
    assert job.status == status
    assert job.error == (None if status == "done" else "given up after 5 attempts: RuntimeError")


def test_jobs_that_ended_long_ago_are_forgotten_with_their_errors(make_runtime, clock):
    runtime = make_runtime(service_with(import_three))
    ended = begin(runtime)
    DuePoller(runtime).drain()
    waits = begin(runtime)

    def left():
        with runtime.context() as context:
            assert jobs.forget_finished(context) is False
        with runtime.sessions() as session:
            errors = session.scalar(text("SELECT count(*) FROM chassis.job_error"))
            return set(session.scalars(text("SELECT id FROM chassis.job"))), errors

    clock.advance(days=90)
    assert left() == ({ended, waits}, 1)
    clock.advance(seconds=1)
    assert left() == ({waits}, 0), "what has not ended stays, however old"

"""``services/{service}/jobs``: whoever started a job may follow it, and those who hold ``jobs:read``."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.jobs.job import JobErrorRow, JobRow, answer
from chassis.web import Blueprint, Page, PageArgs, Schema, fields, requires, work


class JobSchema(Schema):
    """Long work and how far it is."""

    id = fields.Uuid(required=True)
    kind = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": ["queued", "running", "done", "failed"]})
    done = fields.Whole(required=True, max=fields.SAFE_INTEGER)
    total = fields.Whole(required=True, max=fields.SAFE_INTEGER, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    errors_url = fields.String(required=True, allow_none=True)
    result_url = fields.String(required=True, allow_none=True)
    created_at = fields.Instant(required=True)
    finished_at = fields.Instant(required=True, allow_none=True)


class JobErrorSchema(Schema):
    """One thing that could not be done."""

    position = fields.Whole(required=True, max=fields.SAFE_INTEGER)
    message = fields.String(required=True)


class JobResultSchema(Schema):
    """What a job found; the members of ``result`` are its kind's own."""

    id = fields.Uuid(required=True)
    result = fields.Dict(keys=fields.String(), required=True)


def blueprint(service: str) -> Blueprint:
    """The job resources of one service, relative to ``/api/v1/services/<service>``."""
    jobs = Blueprint("jobs", __name__, description="Long work")

    @jobs.get("/jobs")
    @requires("jobs:read")
    @jobs.arguments(PageArgs, location="query")
    @jobs.response(200, Page.schema(JobSchema))
    def list_jobs(page: dict[str, Any]) -> dict[str, Any]:
        """All jobs of this service, newest first"""
        session = work().session
        newest = [JobRow.created_at.desc(), JobRow.id.desc()]
        return Page.of(session, select(JobRow), newest, **page, dump=lambda job: answer(session, job))

    @jobs.get("/jobs/<uuid:job_id>")
    @requires()
    @jobs.response(200, JobSchema)
    def read_job(job_id: uuid.UUID) -> dict[str, Any]:
        """One job and how far it is"""
        return answer(work().session, _mine(job_id))

    @jobs.get("/jobs/<uuid:job_id>/errors")
    @requires()
    @jobs.arguments(PageArgs, location="query")
    @jobs.response(200, Page.schema(JobErrorSchema))
    def read_job_errors(page: dict[str, Any], job_id: uuid.UUID) -> dict[str, Any]:
        """What the job could not do, in the order of its input"""
        errors = select(JobErrorRow).where(JobErrorRow.job_id == _mine(job_id).id)
        return Page.of(work().session, errors, [JobErrorRow.position], **page)

    @jobs.get("/jobs/<uuid:job_id>/result")
    @requires()
    @jobs.response(200, JobResultSchema)
    def read_job_result(job_id: uuid.UUID) -> dict[str, Any]:
        """What the job found"""
        job = _mine(job_id)
        if job.result is None:
            raise NotFound("This job has no result (yet)", status_of_job=job.status)
        return {"id": job.id, "result": job.result}

    return jobs


def _mine(job_id: uuid.UUID) -> JobRow:
    at = work()
    job = at.session.get(JobRow, job_id)
    if job is None or not (at.principal.may("jobs:read") or job.started_by == at.principal.id):
        raise NotFound("No such job")
    return job

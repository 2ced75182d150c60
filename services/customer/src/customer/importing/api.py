"""``imports``: a CSV file of customers, taken or only tried."""

from __future__ import annotations

from io import BufferedReader, TextIOWrapper
from typing import Any

from flask import Response, request

from chassis import jobs
from chassis.errors import Invalid
from chassis.jobs.api import JobSchema
from chassis.web import Blueprint, QuerySchema, answer, fields, requires, work
from chassis.web.problems import Unreadable, WrongMediaType
from customer.importing.use_cases import receive_file

blueprint = Blueprint("imports", __name__, description="Customers by the file")

LARGEST_FILE = 1024 * 1024 * 1024
_BODY = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}


class ImportArgs(QuerySchema):
    """How."""

    dry_run = fields.Flag(load_default=False, metadata={"description": "try every line, keep none"})


@blueprint.post("/imports")
@requires("customers:import", body_limit=LARGEST_FILE, body_types=("text/csv",))
@blueprint.arguments(ImportArgs, location="query")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(202, JobSchema)
def receive(query: dict[str, Any]) -> Response:
    """Receive a CSV file in UTF-8 whose first line names the columns; the job reports every line it refused"""
    at = work()
    if request.mimetype != "text/csv":
        raise WrongMediaType("send the file as text/csv")
    lines = TextIOWrapper(BufferedReader(request.stream), encoding="utf-8-sig", newline="")  # type: ignore[type-var]
    try:
        job = receive_file(at.context, at.principal, lines, query["dry_run"])
    except UnicodeDecodeError:
        raise Unreadable("the file is not UTF-8") from None
    if not job.total:
        raise Invalid("The file holds no customer", {"": ["at least one line below the first"]})
    at.note(str(job.id), lines=job.total, dry_run=query["dry_run"])
    url = f"/api/v1/services/customer/jobs/{job.id}"
    return answer(jobs.answer(at.session, job), 202, {"Location": url})

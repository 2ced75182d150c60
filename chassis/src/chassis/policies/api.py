"""``services/{service}/policies``: the versions this service knows, staging, activation, trying without effect."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from sqlalchemy import select

from chassis import jobs
from chassis.approvals import api as approvals
from chassis.approvals.api import ApprovalSchema
from chassis.errors import Invalid, NotFound
from chassis.jobs.api import JobSchema
from chassis.policies import use_cases
from chassis.policies.pack import from_archive
from chassis.policies.simulation import begin_simulation
from chassis.policies.tables import PolicyActivationRow, PolicyVersionRow
from chassis.web import Blueprint, Page, PageArgs, Schema, answer, fields, requires, work

LONGEST_FILE = 512 * 1024
LARGEST_UPLOAD = 4 * 1024 * 1024


class ActivationSchema(Schema):
    """From when a version decides, and who wanted it."""

    effective_from = fields.Instant(required=True)
    activated_at = fields.Instant(required=True)
    activated_by = fields.String(required=True)
    approved_by = fields.String(required=True, allow_none=True)
    alone = fields.Flag(required=True, metadata={"description": "approved by its proposer, the only administrator"})


class VersionSchema(Schema):
    """One version of the policy."""

    hash = fields.String(required=True)
    pack = fields.String(required=True)
    version = fields.String(required=True)
    cited = fields.String(required=True, metadata={"description": "how decisions name it"})
    author = fields.String(required=True)
    staged_at = fields.Instant(required=True)
    in_force = fields.Flag(required=True, metadata={"description": "decides now, in this process"})
    readable = fields.Flag(
        required=True, metadata={"description": "false: this release cannot read it and keeps the one before"}
    )
    activations = fields.List(fields.Nested(ActivationSchema), required=True)


class VersionWithFilesSchema(VersionSchema):
    """One version and the files it consists of."""

    files = fields.Dict(required=True, metadata={"description": "<pack>/<file> → its text"})


class StageSchema(Schema):
    """A pack: its files by name, or the same as a zip. Packs that it extends come with it."""

    files = fields.Dict(
        keys=fields.Text(120),
        values=fields.Text(LONGEST_FILE, blank=True),
        metadata={"description": "<pack>/<file> → its text"},
    )
    archive = fields.Text(LARGEST_UPLOAD, metadata={"description": "a zip file in base64"})


class ActivateSchema(Schema):
    """Which version is to decide, and from when; without a moment: from the second person's word on."""

    hash = fields.Text(64, required=True)
    effective_from = fields.Instant(load_default=None, allow_none=True)


class SimulateSchema(Schema):
    """Which staged version to try."""

    hash = fields.Text(64, required=True)


def blueprint(service: str) -> Blueprint:
    """The policy resources of one service, relative to ``/api/v1/services/<service>``."""
    policies = Blueprint("policies", __name__, description="Versions of the policy pack")

    @policies.get("/policies")
    @requires("policies:read")
    @policies.arguments(PageArgs, location="query")
    @policies.response(200, Page.schema(VersionSchema))
    def list_policies(page: dict[str, Any]) -> dict[str, Any]:
        """All staged versions, newest first"""
        newest = [PolicyVersionRow.staged_at.desc(), PolicyVersionRow.hash.desc()]
        return Page.of(work().session, select(PolicyVersionRow), newest, **page, dump=_version)

    @policies.get("/policies/<string(length=64):hash>")
    @requires("policies:read")
    @policies.response(200, VersionWithFilesSchema)
    def read_policy(hash: str) -> dict[str, Any]:
        """One version with its files"""
        row = work().session.get(PolicyVersionRow, hash)
        if row is None:
            raise NotFound("no policy version with this hash is staged here")
        return {**_version(row), "files": row.documents}

    @policies.post("/policies")
    @requires("policies:write")
    @policies.arguments(StageSchema)
    @policies.response(201, VersionSchema)
    def stage_policy(body: dict[str, Any]) -> dict[str, Any]:
        """Stage a pack: checked and kept, without effect until it is activated"""
        if ("files" in body) == ("archive" in body):
            raise Invalid("give files or archive, one of them", {"files": ["give either this or archive"]})
        at = work()
        documents = body["files"] if "files" in body else from_archive(_decoded(body["archive"]))
        row = use_cases.stage(at.session, at.runtime.service, documents, at.principal.username, at.clock)
        at.note(f"policy:{row.hash}", version=row.cited)
        return _version(row)

    @policies.post("/policies/activate")
    @requires("policies:write")
    @policies.arguments(ActivateSchema)
    @policies.response(202, ApprovalSchema)
    def activate_policy(body: dict[str, Any]) -> Any:
        """Propose that a staged version decides; a second person approves it. An older one is a way back"""
        at = work()
        row = use_cases.propose_activation(at.context, at.principal, body["hash"], body["effective_from"])
        at.note(f"policy:{body['hash']}", approval=str(row.id))
        return approvals.answer(row)

    @policies.post("/policies/simulate")
    @requires("policies:read")
    @policies.arguments(SimulateSchema)
    @policies.response(202, JobSchema)
    def simulate_policy(body: dict[str, Any]) -> Any:
        """What would change if this version decided, over the whole live population: a job; changes nothing"""
        at = work()
        job = begin_simulation(at.context, body["hash"], at.principal)
        at.note(f"policy:{body['hash']}", job=str(job.id))
        where = f"/api/v1/services/{service}/jobs/{job.id}"
        return answer(jobs.answer(at.session, job), 202, {"Location": where})

    return policies


def _decoded(archive: str) -> bytes:
    try:
        return b64decode(archive, validate=True)
    except ValueError:
        raise Invalid("archive is not base64", {"archive": ["must be a zip file in base64"]}) from None


def _version(row: PolicyVersionRow) -> dict[str, Any]:
    at = work()
    activations = (
        select(PolicyActivationRow).where(PolicyActivationRow.hash == row.hash).order_by(PolicyActivationRow.id)
    )
    return {
        **{name: getattr(row, name) for name in ("hash", "pack", "version", "cited", "author", "staged_at")},
        "in_force": at.policies.in_force().hash == row.hash,
        "readable": row.hash not in at.policies.refused,
        "activations": list(at.session.scalars(activations)),
    }

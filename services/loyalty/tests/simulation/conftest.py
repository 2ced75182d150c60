"""Draft packs, and the same company living under one of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.policies.sources import read_documents
from chassis.policies.tables import PolicyActivationRow
from chassis.policies.use_cases import stage
from chassis.timing.due import DuePoller

Draft = Callable[..., dict[str, str]]


@pytest.fixture
def draft(request: pytest.FixtureRequest) -> Draft:
    """``draft({"gold, at: 1000 growth": "gold, at: 500 growth"})`` → the default pack's files with that changed."""
    default = request.config.rootpath / "policies" / "consumer-goods"

    def make(changes: Mapping[str, str], version: str = "2.0") -> dict[str, str]:
        files = read_documents(Path(default))
        loyalty = files["consumer-goods/loyalty.yaml"]
        for old, new in changes.items():
            assert loyalty.count(old) == 1, old
            loyalty = loyalty.replace(old, new)
        pack = files["consumer-goods/pack.yaml"].replace('version: "1.0"', f'version: "{version}"')
        return {**files, "consumer-goods/loyalty.yaml": loyalty, "consumer-goods/pack.yaml": pack}

    return make


@pytest.fixture
def forecast(programme: Any, api: Any, client: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """``forecast(files)`` → what the service says would have come of them, once its job has run.

    ``roles``, ``unit_path``: of the member of staff who tries what an administrator staged.
    """

    def ask(files: dict[str, str], **who: Any) -> dict[str, Any]:
        staged = api.post("services/loyalty/policies", {"files": files})
        assert staged.status_code == 201, staged.get_json()
        reader = client(programme.runtime, **who)
        begun = reader.post(
            "/api/v1/services/loyalty/policies/simulate",
            json={"hash": staged.get_json()["hash"]},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert begun.status_code == 202, begun.get_json()
        DuePoller(programme.runtime).drain()
        job = reader.get(begun.headers["Location"]).get_json()
        assert (job["status"], job["done"]) == ("done", job["total"]), job
        result: dict[str, Any] = reader.get(job["result_url"]).get_json()["result"]
        return result

    return ask


@pytest.fixture
def lived_under() -> Callable[[Any, dict[str, str], datetime], None]:
    """``lived_under(programme, files, since)``: the company switched to these files then."""

    def switch(programme: Any, files: dict[str, str], since: datetime) -> None:
        with programme.runtime.sessions.begin() as session:
            row = stage(session, programme.runtime.service, files, "li", programme.clock)
            session.add(
                PolicyActivationRow(
                    hash=row.hash, effective_from=since, activated_at=since, activated_by="li", approved_by="wang",
                    alone=False,
                )
            )  # fmt: skip
        programme.runtime.policies.refresh()

    return switch

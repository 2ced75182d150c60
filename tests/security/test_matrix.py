"""Every role knocks at every endpoint of every service; `access.txt` says who is let in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from chassis.runtime import Runtime
from chassis.testkit.tokens import bearer, static_jwks
from gateway.people.founding import found_company
from kezhi.installation import SERVICES, build_service
from tests.security.matrix import ROLES, Endpoint, declared, served

ANY_ID = str(uuid.UUID(int=7))


def owned(service: str) -> list[Endpoint]:
    """The lines of `access.txt` whose endpoint this service has."""
    here = {(endpoint.verb, endpoint.path) for endpoint in served(build_service(service))}
    return [line for line in declared() if (line.verb, line.path) in here]


def knock(http: Any, endpoint: Endpoint, headers: dict[str, str]) -> int:
    """Call with ids that exist nowhere and without a body: what answers is the door, not the room.

    503: let in, but the room is in another service, which is not there.
    """
    path = re.sub(r"\{[^}]+\}", ANY_ID, endpoint.path.replace("{hash}", "0" * 64))
    status: int = http.open(path, method=endpoint.verb, headers=headers).status_code
    return status


def test_every_endpoint_has_its_line_and_every_line_its_endpoint() -> None:
    lines = [(line.verb, line.path) for line in declared()]
    endpoints = {(each.verb, each.path) for name in SERVICES for each in served(build_service(name))}

    assert len(lines) == len(set(lines))
    assert endpoints - set(lines) == set(), "served without a line: say in access.txt who may call it"
    assert set(lines) - endpoints == set(), "a line without an endpoint"


def test_the_roles_are_those_of_the_default_pack(make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime(build_service("gateway"))

    assert set(runtime.policies.in_force().company.roles) == set(ROLES) - {"portal"}


@pytest.mark.parametrize("service", SERVICES)
def test_only_those_who_may_are_let_in(
    service: str, make_runtime: Callable[..., Runtime], client: Callable[..., Any]
) -> None:
    runtime = make_runtime(build_service(service), jwks_url=static_jwks())
    if service == "gateway":
        with runtime.context() as at:
            found_company(at.session)
    http = client(runtime, roles=None)
    wrong = []

    for endpoint in owned(service):
        callers: dict[str | None, dict[str, str]] = {role: {"Authorization": bearer([role])} for role in ROLES}
        callers |= {None: {"Authorization": bearer([])}}
        for role, headers in callers.items():
            status = knock(http, endpoint, headers)
            if (endpoint.admits(role) != (status not in (401, 403)) and endpoint.who != "public") or status == 500:
                wrong.append(f"{role or 'no role'}: {endpoint.verb} {endpoint.path} answered {status}")
        status = knock(http, endpoint, {})
        if endpoint.who != "public" and status != 401:
            wrong.append(f"a stranger: {endpoint.verb} {endpoint.path} answered {status}")

    assert wrong == [], "\n".join(wrong)

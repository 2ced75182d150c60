"""Role × endpoint: what `access.txt` says, and what the code says now.

`access.txt` is written and reviewed by people; the tests hold every service to it. ``python -m tests.security.matrix``
prints the code's present view in the same form: compare, think, and only then copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.service import Service
from chassis.web.app import openapi_document
from chassis.web.principal import ADMINISTRATOR, Permissions
from kezhi.installation import SERVICES, build_service

FILE = Path(__file__).with_name("access.txt")
ROLES = (
    "front_desk",
    "account_manager",
    "handler",
    "service_manager",
    "store_manager",
    "director",
    "supervisor",
    "marketing",
    "finance",
    "auditor",
    "integration",
    "portal",  # held by no person: the gateway's own voice for what customers do without signing in
    ADMINISTRATOR,
)
COLUMNS = ("fd", "am", "ha", "sm", "st", "di", "su", "mk", "fi", "au", "in", "po", "ad")
_VERBS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Endpoint:
    """One operation, and who may call it: these roles, or whoever is ``signed-in``, or the ``public``."""

    verb: str
    path: str
    who: frozenset[str] | str

    def admits(self, role: str | None) -> bool:
        """May a signed-in caller with this role (None: with no role at all) go in?"""
        return isinstance(self.who, str) or role in self.who


def declared() -> list[Endpoint]:
    """What `access.txt` says; ``{service}`` stands for each of the services that have no line of their own."""
    own, of_all = [], []
    for line in FILE.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        verb, path, *marks = line.split()
        who = marks[0] if marks in (["public"], ["signed-in"]) else frozenset(_marked(line, marks))
        (of_all if "{service}" in path else own).append(Endpoint(verb, path, who))
    named = {(line.verb, line.path) for line in own}
    for line in of_all:
        told = (Endpoint(line.verb, line.path.replace("{service}", service), line.who) for service in SERVICES)
        own += [each for each in told if (each.verb, each.path) not in named]
    return own


def _marked(line: str, marks: list[str]) -> Iterator[str]:
    if len(marks) != len(ROLES) or not set(marks) <= {"x", "."}:
        raise ValueError(f"access.txt: give each of {len(ROLES)} roles an x or a dot: {line}")
    return (role for role, mark in zip(ROLES, marks, strict=True) if mark == "x")


def served(service: Service) -> Iterator[Endpoint]:
    """What the code of a service says now."""
    document: dict[str, Any] = openapi_document(service)
    table = Permissions(service.permissions).table
    for path, operations in sorted(document["paths"].items()):
        for verb in _VERBS:
            if verb not in operations:
                continue
            operation = operations[verb]
            who: frozenset[str] | str
            if permission := operation.get("x-permission"):
                who = frozenset(table[permission]) | {ADMINISTRATOR}
            else:
                who = "signed-in" if operation.get("security") else "public"
            yield Endpoint(verb.upper(), path, who)


def written(endpoint: Endpoint) -> str:
    """An endpoint as a line of `access.txt`."""
    who = endpoint.who
    marks = who if isinstance(who, str) else "  ".join("x" if role in who else "." for role in ROLES)
    return f"{endpoint.verb:<7}{endpoint.path:<68}{marks}"


def main() -> None:
    """Print the code's present view."""
    lines: dict[str, str] = {}  # endpoint → its line; what most services share is said by the first
    for name in SERVICES:
        for endpoint in served(build_service(name)):
            shared = endpoint.path.replace(f"/services/{name}/", "/services/{service}/")
            told = Endpoint(endpoint.verb, shared, endpoint.who)
            if lines.setdefault(f"{endpoint.verb} {shared}", written(told)) != written(told):
                lines[f"{endpoint.verb} {endpoint.path}"] = written(endpoint)
    print("#".ljust(75) + " ".join(COLUMNS))
    print("\n".join(lines.values()))


if __name__ == "__main__":
    main()

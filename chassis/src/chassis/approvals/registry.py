"""What can be proposed: each kind names who may decide it and what happens when they agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chassis.runtime import Context


@dataclass(frozen=True)
class Approval:
    """One kind of proposal. ``execute`` runs in the approving request's transaction; its result is kept and shown."""

    kind: str
    permission: str  # held by those who may decide
    execute: Callable[[Context, dict[str, Any]], dict[str, Any]]
    describe: Callable[[dict[str, Any]], str] = lambda content: ""
    may_decide: Callable[[Any, dict[str, Any]], bool] | None = (
        None  # (principal, content): limits beyond the permission
    )


def find(kinds: Mapping[str, Approval], kind: str) -> Approval:
    """The kind's declaration; a row of an unknown kind is a mistake of this installation, not of the caller."""
    try:
        return kinds[kind]
    except KeyError:
        raise LookupError(f"no approval of kind {kind!r} is declared by this service") from None

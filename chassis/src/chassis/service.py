"""What a service declares about itself. Each service's ``bootstrap.py`` builds exactly one :class:`Service`.

The chassis turns that declaration into three verbs: ``serve``, ``work`` and ``migrate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threading import Event

    from flask_smorest import Blueprint
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from chassis.approvals.registry import Approval
    from chassis.messaging.delivery import Delivery, Rejection
    from chassis.people.guard import Viewer
    from chassis.policies.section import PolicySection
    from chassis.runtime import Context, Runtime
    from chassis.timing.due import DueRow
    from chassis.web.application import Application


@dataclass(frozen=True)
class Subscription:
    """One queue of this service and what is done with its messages.

    Exactly one of ``handle`` (one delivery, one transaction) and ``handle_batch`` (many deliveries, one
    transaction) is given. Both run inside the transaction in which the inbox already claimed the deliveries;
    the chassis commits, then acknowledges. Raise ``Reject`` (or return ``Rejection`` for members of a batch) for
    what can never succeed; any other exception goes up the retry ladder.
    """

    name: str
    family: str  # "purchases" or "events": which of the two exchanges
    bindings: tuple[str, ...]
    handle: Callable[[Context, Delivery], None] | None = None
    handle_batch: Callable[[Context, Sequence[Delivery]], Sequence[Rejection]] | None = None
    accepts: frozenset[str] = frozenset()  # event types with version; others are dead-lettered with the reason
    ordered: bool = False  # may be split over consistent-hash partitions

    def __post_init__(self) -> None:
        if (self.handle is None) == (self.handle_batch is None):
            raise ValueError(f"subscription {self.name}: give handle or handle_batch, one of them")


@dataclass(frozen=True)
class Schedule:
    """Recurring work: a cron expression in the company's time zone, run once by whoever is alive.

    ``run`` does one bounded step in the transaction it is given and returns True while more is to be done now.
    """

    name: str
    cron: str
    run: Callable[[Context], bool]


@dataclass(frozen=True)
class Snapshot:
    """A state that can be republished for a service deployed later (decision 9).

    ``pages`` yields lists of finished events, oldest aggregate first, in constant memory.
    """

    name: str
    pages: Callable[[Session], Any]


@dataclass(frozen=True)
class Service:
    """One deployable, as its bootstrap declares it."""

    name: str
    title: str
    version: str
    migrations: Path
    blueprints: tuple[Blueprint, ...] = ()
    permissions: Mapping[str, frozenset[str]] = field(default_factory=dict)  # permission → roles that hold it
    subscriptions: tuple[Subscription, ...] = ()
    due: Mapping[str, Callable[[Context, DueRow], None]] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    policy: PolicySection | None = None
    snapshots: tuple[Snapshot, ...] = ()
    hidden_subjects: Callable[[Viewer], Select[Any]] | None = None  # ids that the guard keeps from a viewer
    found: Callable[[Context], str | None] | None = None  # what a new installation needs; answers what to tell
    extend_app: Callable[[Application, Runtime], None] | None = None  # what it adds to its application beside resources
    parts: Mapping[str, Callable[[Runtime, Event], None]] = field(default_factory=dict)  # more threads of its worker
    threads: int = 4  # of each HTTP worker; more where requests mostly wait for others

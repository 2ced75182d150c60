"""What one area of the console declares: its pages, and its entry in the rail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint

from gateway.console.sessions import Visit


@dataclass(frozen=True)
class Section:
    """An entry of the rail. ``title`` is a msgid; ``count`` = (path, member): the number beside it is that member of
    that answer, asked after the page is shown. Where the member is a list's ``items``, they are counted, and what the
    page of the list leaves out is a ``+``.
    """

    name: str
    title: str
    icon: str
    path: str
    roles: frozenset[str] = frozenset()  # who finds it in the rail; empty: everyone. The services guard, not this.
    count: tuple[str, str] | None = None
    urgent: tuple[str, str] | None = None  # the same, shown in red when it isn't 0

    def shown_to(self, visit: Visit) -> bool:
        """Whether it stands in this reader's rail."""
        return not self.roles or visit.holds(self.roles)


@dataclass(frozen=True)
class Area:
    """One folder of pages: its Flask blueprint and the sections that lead there."""

    blueprint: Blueprint
    sections: tuple[Section, ...] = ()
    texts: Mapping[str, Any] = field(default_factory=dict)  # what its templates find beside the common names

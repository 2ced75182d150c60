"""How a service says which file of a pack is its own, how it reads it, and how it tries a pack on the living."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.pack import Pack
from chassis.policies.problems import collecting

if TYPE_CHECKING:
    from chassis.jobs import JobRow
    from chassis.policies.book import Policy
    from chassis.runtime import Context

T = TypeVar("T")

Simulation = Callable[["Context", "Policy", "Policy", "JobRow"], bool]
"""``(context, in force, tried, job)``: one step of saying what would change over the whole live population.

It changes nothing but the job: its place in ``params``, ``done`` of ``total``, at the end ``result``. True while more
is to do. ``params["below"]``: the path of the units whose people may be named to whoever asked; figures are of all.
"""


@dataclass(frozen=True)
class PolicySection(Generic[T]):
    """``name`` is the file (``loyalty`` → loyalty.yaml); ``load`` reads it into the service's frozen dataclasses.

    ``load`` uses the helpers of ``reading``: it notes every fault and never raises for bad content.
    """

    name: str
    load: Callable[[Node, Company], T]
    simulate: Simulation | None = None

    def read(self, pack: Pack) -> T:
        """The service's rules of this pack. Raises PolicyRefused with every fault of the section."""
        with collecting():
            return self.load(pack.section(self.name), pack.company)

"""The closing table: what there is now; and who may sign in, to see what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from kezhi.demo.company import YUNXI
from kezhi.demo.figures import Figures

GRADES = ("diamond", "platinum", "gold", "ordinary")


def summary(found: Figures) -> Table:
    """Every figure as the public interface answered it."""
    table = Table(title="客至 Kezhi: 云溪食品 (an invented company)", title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    customers = sum(found.kinds.values())
    table.add_row("customers", f"{customers:,}: {_split(found.kinds)}; not to trade with {found.blacklisted}")
    table.add_row("by grade", _split(found.grades, GRADES))
    table.add_row("by frequency", _split(found.frequency, ("high", "mid", "low")))
    table.add_row("by amount", _split(found.amount, ("large", "medium", "small")))
    table.add_row("purchases", f"{found.purchases:,} for {found.revenue:,} CNY, refunded {found.refunded:,} CNY")
    table.add_row("repeat rate", found.repeat_rate)
    table.add_row("tiers", _split(found.tiers, GRADES))
    table.add_row("points", f"{found.points:,} outstanding, we owe {found.liability}")
    table.add_row(
        "rewards",
        f"{found.rewards} on offer, points spent {found.claimed} times; "
        f"{found.campaigns} campaign gave {found.granted:,} points",
    )
    total = sum(found.complaints.values())
    table.add_row("complaints", f"{total}: {_split(found.complaints)}")
    table.add_row("by level", _split({f"level {level}": number for level, number in sorted(found.levels.items())}))
    table.add_row("open clocks", _split(found.clocks, ("running", "breached", "paused")))
    table.add_row("messages", _split(found.messages))
    table.add_row(
        "waiting",
        f"{found.waiting_approvals} approvals, {found.waiting_purchases} purchase of an unknown card, "
        f"{found.dead_letters} dead letters",
    )
    return table


def logins(address: str, password: str) -> Table:
    """The console's address and people to be in it."""
    table = Table(title=f"console  {address}/console   password of all  {password}", title_justify="left")
    for column in ("sign in as", "who", "sees"):
        table.add_column(column)
    table.add_row("admin", "administrator", "everything: staff, dead letters, audit")
    for person in YUNXI.staff:
        if person.sees:
            table.add_row(person.username, f"{person.name}, {person.roles[0]}, {person.unit}", person.sees)
    return table


def _split(counts: Mapping[Any, int], order: tuple[str, ...] = ()) -> str:
    names = order or sorted(counts, key=lambda name: (-counts[name], str(name)))
    return ", ".join(f"{name} {counts[name]:,}" for name in names if counts.get(name))

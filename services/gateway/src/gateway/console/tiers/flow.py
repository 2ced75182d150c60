"""Who went from which tier to which, as the picture draws it (``static/flow.js``), and as its table tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.console.words import N_, gettext, term

NEW = N_("Not a member yet")


def flow(moves: Iterable[Mapping[str, Any]], order: Sequence[str]) -> dict[str, Any]:
    """``moves``: ``{from, to, members}``, ``from`` null for who enrolled between; ``order``: tiers, lowest first."""
    rank = {name: place for place, name in enumerate(order)}
    links = [
        {"source": f"0:{move['from'] or ''}", "target": f"1:{move['to']}", "value": move["members"]}
        for move in moves
        if move["members"]
    ]
    ends = {end for link in links for end in (link["source"], link["target"])}

    def place(end: str) -> tuple[str, int]:
        side, _, tier = end.partition(":")
        return side, -rank.get(tier, -1)  # the highest on top

    nodes = [
        {"name": end, "label": said(end[2:] or None), "depth": int(end[0]), "rank": rank.get(end[2:], -1) + 1}
        for end in sorted(ends, key=place)
    ]
    return {"nodes": nodes, "links": links, "arrow": " → ", "unit": gettext("members")}


def said(tier: str | None) -> str:
    """A tier in words; null: enrolled later."""
    return term(tier) if tier else gettext(NEW)


def ways(moves: Iterable[Mapping[str, Any]], order: Sequence[str]) -> list[dict[str, Any]]:
    """Each move with its way: ``rises``, ``falls``, ``keeps`` or ``new``; the interesting ones first."""
    rank = {name: place for place, name in enumerate(order)}
    first = ("rises", "falls", "new", "keeps")

    def way(move: Mapping[str, Any]) -> str:
        before, after = move["from"], move["to"]
        if before is None:
            return "new"
        step = rank.get(after, 0) - rank.get(before, 0)
        return "rises" if step > 0 else "falls" if step < 0 else "keeps"

    told = [{**move, "way": way(move)} for move in moves]
    return sorted(told, key=lambda move: (first.index(move["way"]), -move["members"]))

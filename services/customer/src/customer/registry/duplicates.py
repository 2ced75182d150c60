"""Is this customer registered already? Asked before anybody enters the registry; nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.policies.book import Policy
from customer.purchases.waiting import IDENTITIES
from customer.registry import domain
from customer.registry.tables import CustomerRow

# Who is registered twice at the same moment is found out here: the second waits until the first is there to be seen.
# The gate of identities is passed in the same breath, see ``purchases.waiting``.
_ONE_AT_A_TIME = text(
    """
    SELECT pg_advisory_xact_lock_shared(:gate),
           (SELECT count(pg_advisory_xact_lock(k)) FROM (
               SELECT DISTINCT hashtextextended(t, 1) AS k FROM unnest(CAST(:terms AS text[])) AS t ORDER BY 1) AS keys)
    """
)
_KNOWN = text(
    """
    SELECT i.identity, c.id, c.code, c.name, c.pinyin, c.birthday, c.phones, c.emails
    FROM identity i JOIN customer c ON c.id = i.customer_id WHERE i.identity = ANY(CAST(:identities AS text[]))
    UNION ALL
    (SELECT NULL, c.id, c.code, c.name, c.pinyin, c.birthday, c.phones, c.emails
     FROM customer c WHERE c.terms && CAST(:terms AS text[]) LIMIT 5000)
    """
)


def sameness(row: Any) -> list[str]:
    """The terms under which somebody who may be the same is found."""
    return domain.sameness_terms(
        domain.plain(row.phones, "number"), domain.plain(row.emails, "address"), row.birthday, row.pinyin
    )


def refusals(
    session: Session, policy: Policy, rows: Sequence[CustomerRow], commands: Sequence[Mapping[str, Any]]
) -> list[Conflict | None]:
    """Per row: None, or why it is refused - an identity that is somebody else's, or somebody very like them."""
    identities = [identity for row in rows for identity in domain.identity_texts(row.identities)]
    same = [term for row in rows for term in sameness(row)]
    if not identities and not same:
        return [None] * len(rows)
    session.execute(_ONE_AT_A_TIME, {"gate": IDENTITIES, "terms": same})
    known = session.execute(_KNOWN, {"identities": identities, "terms": same}).all()
    if not known:
        return [None] * len(rows)
    holders = {other.identity: other for other in known if other.identity is not None}
    alike: dict[str, list[Any]] = {}
    for other in known:
        if other.identity is None:
            for term in sameness(other):
                alike.setdefault(term, []).append(other)
    return [_refusal(policy, row, command, holders, alike) for row, command in zip(rows, commands, strict=True)]


def _refusal(
    policy: Policy,
    row: CustomerRow,
    command: Mapping[str, Any],
    holders: Mapping[str, Any],
    alike: Mapping[str, list[Any]],
) -> Conflict | None:
    taken = [identity for identity in domain.identity_texts(row.identities) if identity in holders]
    if taken:
        return linked_elsewhere([holders[identity] for identity in taken])
    if command.get("force"):
        return None
    new = _comparable(row)
    others = {other.id: other for term in sameness(row) for other in alike.get(term, ())}
    candidates = []
    for other in others.values():
        score, matched = domain.likeness(new, _comparable(other))
        if score >= policy.rules.duplicates.refuse_above:
            candidates.append(_candidate(other, score, matched))
    if not candidates:
        return None
    return Conflict(
        "A customer very like this one is registered; open it, or send `force: true` if this is somebody else",
        candidates=sorted(candidates, key=lambda candidate: (-candidate["score"], candidate["code"]))[:10],
    )


def linked_elsewhere(holders: Sequence[Any]) -> Conflict:
    """The refusal of identities that are somebody else's. ``holders`` carry identity, id, code and name."""
    return Conflict(
        f"{', '.join(sorted(holder.identity for holder in holders))}: linked to another customer already",
        candidates=[_candidate(holder, 1.0, ("identity",)) for holder in holders],
    )


def _candidate(row: Any, score: float, matched: Sequence[str]) -> dict[str, Any]:
    return {"id": str(row.id), "code": row.code, "name": row.name, "score": score, "matched": list(matched)}


def _comparable(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "pinyin": row.pinyin,
        "birthday": row.birthday,
        "phones": domain.plain(row.phones, "number"),
        "emails": domain.plain(row.emails, "address"),
    }

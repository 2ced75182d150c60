"""A run as one statement: measures, scores, classes and the difference to what is in force, all in the database.

What a measure or a score is comes from the pack's vocabulary; thresholds and names are bound as values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chassis.policies.vocabulary.expression import Expression
from chassis.policies.vocabulary.measures import select_measures
from chassis.policies.vocabulary.terms import (
    Arithmetic,
    Constant,
    Extreme,
    Mean,
    PercentRank,
    Reading,
    Share,
)
from customer.policy import GradeScheme, Scheme

GRADE = "grade"

# One row per purchase of the window, net of refunds; what was wholly given back counts for nothing (decision 23).
WINDOW = """
    SELECT p.customer_id, p.day AS occurred_on, p.total - p.refunded AS amount{quantity}
    FROM purchase p
    WHERE p.day BETWEEN :first AND :last AND p.customer_id IS NOT NULL
      AND NOT (p.refunded > 0 AND p.refunded >= p.total)
"""
_QUANTITY = """,
           (SELECT coalesce(sum((line->>'quantity')::numeric), 0)
            FROM jsonb_array_elements(p.details->'lines') AS line) AS quantity"""

# Attributes a scheme may read; the names are those of the pack, the columns ours.
ATTRIBUTES = {
    "kind": "c.kind",
    "unit": "coalesce(c.unit, '')",
    "business_form": "coalesce(c.profile->>'business_form', '')",
    "market_type": "coalesce(c.profile->>'market_type', '')",
    "territory": "coalesce(c.profile->>'territory', '')",
}
_TIES = {"since": "since DESC NULLS LAST", "recency": "recency ASC NULLS LAST", "code": "code"}


def window_relation(measures: tuple[str, ...]) -> str:
    """The relation ``purchases`` of the vocabulary, with quantities only where a measure asks for them."""
    return WINDOW.format(quantity=_QUANTITY if "quantity" in measures else "")


@dataclass
class Statement:
    """SQL and its values."""

    sql: str
    values: dict[str, Any] = field(default_factory=dict)


def grading(scheme: GradeScheme) -> Statement:
    """``found(customer_id, value, score, inputs, parts)`` for every active customer of the company."""
    values: dict[str, Any] = {"otherwise": scheme.otherwise}
    steps = []
    for number, level in enumerate(scheme.levels):
        values[f"level{number}"] = level.name
        if level.at is None:
            steps.append(f"ELSE :level{number}")
        else:
            values[f"at{number}"] = level.at
            steps.append(f"WHEN b.score >= :at{number} THEN :level{number}")
    value = f"CASE WHEN b.score IS NULL THEN :otherwise {' '.join(steps)} END"
    return Statement(_found(scheme.score, value), values)


def classification(scheme: Scheme) -> Statement:
    """The same for a classification: by bands, by shares of the population, or by an attribute."""
    if scheme.attribute is not None:
        attribute = ATTRIBUTES[scheme.attribute]
        return Statement(
            f"""found AS (SELECT c.id AS customer_id, {attribute} AS value, NULL::numeric AS score,
                          NULL::jsonb AS inputs, NULL::jsonb AS parts FROM customer c WHERE c.status = 'active')"""  # noqa: S608
        )
    if scheme.measure is None:
        raise ValueError(f"scheme {scheme.name} has no measure")
    values: dict[str, Any] = {}
    if scheme.bands:
        steps = []
        for number, band in enumerate(scheme.bands):
            values[f"band{number}"], values[f"at{number}"] = band.name, band.at
            steps.append(f"WHEN coalesce(b.score, 0) >= :at{number} THEN :band{number}")
        return Statement(_found(scheme.measure, f"CASE {' '.join(steps)} END"), values)
    cut: list[str] = []
    below = Decimal(0)
    for number, (name, share) in enumerate(scheme.split):
        below += share
        values[f"class{number}"], values[f"share{number}"] = name, below
        last = number == len(scheme.split) - 1
        cut.append(
            f"ELSE :class{number}" if last else f"WHEN b.position <= floor(:share{number} * b.size) THEN :class{number}"
        )
    return Statement(_found(scheme.measure, f"CASE {' '.join(cut)} END", scheme), values)


def _found(score: Expression, value: str, cut: Scheme | None = None) -> str:
    ties = [tie for tie in cut.ties if tie != "code"] if cut else []
    measures = tuple(dict.fromkeys([*score.measures, *ties]))
    inputs = ", ".join(f"'{name}', m.{name}" for name in score.measures)
    parts = ", ".join(f"'{label}', round(({sql})::numeric, 6)" for label, sql in terms(score))
    ranked = ""
    if cut is not None:
        within = f"PARTITION BY {ATTRIBUTES[cut.within]} " if cut.within else ""
        order = ", ".join(["score DESC NULLS LAST", *(_TIES.get(tie, f"{tie} DESC NULLS LAST") for tie in cut.ties)])
        ranked = f", row_number() OVER ({within}ORDER BY {order}) AS position, count(*) OVER ({within.strip()}) AS size"
    return f"""
        purchases AS ({window_relation(measures)}),
        measured AS ({select_measures(measures)}),
        scored AS (
            SELECT m.*, {score.score_sql()} AS score,
                   jsonb_build_object({inputs}) AS inputs, jsonb_build_object({parts}) AS parts
            FROM measured m JOIN customer a ON a.id = m.customer_id AND a.status = 'active'
        ),
        b AS (SELECT c.id, s.score, s.inputs, s.parts{ranked} FROM customer c LEFT JOIN scored s ON s.customer_id = c.id
              WHERE c.status = 'active'),
        found AS (SELECT b.id AS customer_id, {value} AS value, b.score, b.inputs, b.parts FROM b)
    """  # noqa: S608 - names are of the closed vocabulary


def terms(score: Expression) -> Iterator[tuple[str, str]]:
    """The summands of a score, each under the names of its measures: what explains a number to the customer."""
    for term in _summands(score.root):
        names = dict.fromkeys(_measures(term))
        yield "+".join(names) or "constant", term.sql("")


def _summands(term: Any) -> Iterator[Any]:
    if isinstance(term, Arithmetic) and term.sign == "+":
        yield from _summands(term.left)
        yield from _summands(term.right)
    else:
        yield term


def _measures(term: Any) -> Iterator[str]:
    match term:
        case PercentRank() | Share() | Reading():
            yield term.measure.name
        case Arithmetic():
            yield from _measures(term.left)
            yield from _measures(term.right)
        case Mean() | Extreme():
            for part in term.terms:
                yield from _measures(part)
        case Constant():
            return


# The difference to what is in force. Kept: every buyer with the inputs seen, and every change.
DIFFERENCE = """
    INSERT INTO segmentation_result (run_id, customer_id, previous, value, direction, score, inputs, parts)
    WITH {found}
    SELECT :run, f.customer_id, coalesce(s.value, :entry), f.value,
           CASE WHEN coalesce(s.value, :entry) IS NULL THEN 'new'
                WHEN coalesce(s.value, :entry) = f.value THEN 'same'
                ELSE CASE sign(array_position(CAST(:order AS text[]), f.value)
                               - array_position(CAST(:order AS text[]), coalesce(s.value, :entry)))
                     WHEN 1 THEN 'fall' WHEN -1 THEN 'rise' ELSE 'changed' END
           END,
           f.score, f.inputs, f.parts
    FROM found f LEFT JOIN segment s ON s.customer_id = f.customer_id AND s.scheme = :scheme
    WHERE f.inputs IS NOT NULL OR f.value IS DISTINCT FROM coalesce(s.value, :entry)
"""

POPULATION = "SELECT count(*) FROM customer WHERE status = 'active'"

SUMMARY = """
    SELECT previous, value, direction, count(*) AS customers, count(inputs) AS buyers
    FROM segmentation_result WHERE run_id = :run GROUP BY previous, value, direction ORDER BY customers DESC, value
"""

# A change applies only to who still has the value that the run saw: a newer run or a re-entry is not overwritten.
NEXT = """
    SELECT r.customer_id, r.previous, r.value FROM segmentation_result r
    LEFT JOIN segment s ON s.customer_id = r.customer_id AND s.scheme = :scheme
    WHERE r.run_id = :run AND r.direction <> 'same' AND r.direction = ANY(CAST(:directions AS text[]))
      AND r.customer_id > :after
      AND coalesce(s.value, :entry) IS NOT DISTINCT FROM r.previous
    ORDER BY r.customer_id LIMIT :size
"""

RAISE_VERSION = """
    WITH locked AS (SELECT id FROM customer WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE)
    UPDATE customer c SET version = version + 1, updated_at = :now FROM locked WHERE c.id = locked.id
"""

TAKE_OVER = """
    INSERT INTO segment (customer_id, scheme, value, since, run_id, clause, policyversion, score, detail)
    SELECT r.customer_id, :scheme, r.value, :now, r.run_id, coalesce(CAST(:clauses AS jsonb)->>r.value, :clause),
           :policyversion, r.score, jsonb_strip_nulls(
               jsonb_build_object('inputs', r.inputs, 'parts', r.parts, 'window', CAST(:window AS jsonb)))
    FROM segmentation_result r WHERE r.run_id = :run AND r.customer_id = ANY(CAST(:ids AS uuid[]))
    ON CONFLICT (customer_id, scheme) DO UPDATE SET
        value = excluded.value, since = excluded.since, run_id = excluded.run_id, clause = excluded.clause,
        policyversion = excluded.policyversion, score = excluded.score, detail = excluded.detail
"""

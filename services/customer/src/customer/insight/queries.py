"""Figures over purchases, each with its window, its population and what was left out (CG-25).

What was wholly refunded counts for nothing (decision 23); anonymous sales and purchases that still wait for their
customer belong to nobody and are counted apart.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.policies.vocabulary.measures import MEASURES, select_measures
from customer.segmentation.statements import window_relation

_SPAN = text("SELECT min(day) AS first, max(day) AS last FROM purchase WHERE customer_id IS NOT NULL")

_LEFT_OUT = text(
    """
    SELECT count(*) FILTER (WHERE status = 'accepted' AND customer_id IS NULL) AS anonymous_purchases,
           count(*) FILTER (WHERE status = 'waiting') AS waiting_purchases,
           count(*) FILTER (WHERE customer_id IS NOT NULL AND refunded > 0 AND refunded >= total) AS refunded_purchases
    FROM purchase WHERE day BETWEEN :first AND :last
    """
)


def loyalty(session: Session, policy: Policy, today: date, first: date | None, last: date | None) -> dict[str, Any]:
    """Repeat-purchase, churn and referral rate of the customers that bought from ``first`` to ``last``, both included.

    Without a beginning the span is everything known; without an end it goes to today.
    """
    known = session.execute(_SPAN).one()
    last = last or today
    first = first or min(known.first or last, last)
    rules = policy.rules.insight
    measures = tuple(dict.fromkeys(["frequency", "recency", *rules.churned_after.measures]))
    row = session.execute(
        text(
            f"""
            WITH purchases AS ({window_relation(measures)}), measured AS ({_every(measures)})
            SELECT count(*) AS customers,
                   count(*) FILTER (WHERE frequency >= :repeat) AS repeated,
                   count(*) FILTER (WHERE recency >= {rules.churned_after.sql()}) AS churned,
                   count(c.referred_by) AS referred
            FROM measured m JOIN customer c ON c.id = m.customer_id
            """  # noqa: S608 - expressions of the closed vocabulary
        ),
        {"first": first, "last": last, "as_of": last, "repeat": rules.repeat_days},
    ).one()
    return {
        "repeat_purchase_rate": _rate(row.repeated, row.customers),
        "churn_rate": _rate(row.churned, row.customers),
        "referral_rate": _rate(row.referred, row.customers),
        "customers": row.customers,
        "repeat_customers": row.repeated,
        "churned_customers": row.churned,
        "referred_customers": row.referred,
        "window": {"from": first, "to": last},
        "left_out": _left_out(session, first, last),
        "definitions": {
            "repeat_purchase_rate": f"customers who bought on {rules.repeat_days} or more distinct days / customers",
            "churn_rate": f"customers without a purchase for {rules.churned_after} days at the end / customers",
            "referral_rate": "customers that another customer brought / customers",
        },
        **policy.cite(rules.clause),
    }


def rfm(session: Session, policy: Policy, today: date, as_of: date | None) -> dict[str, Any]:
    """Customers and money in each cell of recency × frequency × money; the best group has the highest number.

    A group is the percentile rank times the number of groups: equal customers are never torn apart.
    """
    day = as_of or today
    first, last = policy.rules.window.days(day)
    groups = policy.rules.insight.rfm_groups
    relation = window_relation(("recency", "frequency", "amount"))
    rows = session.execute(
        text(
            f"""
            WITH purchases AS ({relation}), measured AS ({select_measures(["recency", "frequency", "amount"])}),
            ranked AS (
                SELECT m.amount, {_group("recency")} AS r, {_group("frequency")} AS f, {_group("amount")} AS m
                FROM measured m JOIN customer c ON c.id = m.customer_id AND c.status = 'active'
            )
            SELECT r, f, m, count(*) AS customers, sum(amount) AS amount FROM ranked
            GROUP BY r, f, m ORDER BY r DESC, f DESC, m DESC
            """  # noqa: S608 - measures of the closed vocabulary
        ),
        {"first": first, "last": last, "as_of": day, "groups": groups},
    ).all()
    return {
        "as_of": day,
        "groups": groups,
        "customers": sum(row.customers for row in rows),
        "amount": str(sum(row.amount for row in rows)),
        "cells": [
            {"r": row.r, "f": row.f, "m": row.m, "customers": row.customers, "amount": str(row.amount)} for row in rows
        ],
        "window": {"from": first, "to": last},
        "left_out": _left_out(session, first, last),
        **policy.cite(policy.rules.insight.clause),
    }


def _every(measures: tuple[str, ...]) -> str:
    """All buyers with these measures; one who bought on a single day has no gaps, and stays in."""
    plain = [name for name in measures if not MEASURES[name].of_gaps]
    of_gaps = [name for name in measures if MEASURES[name].of_gaps]
    base = select_measures(plain)
    if not of_gaps:
        return base
    return f"SELECT * FROM ({base}) base LEFT JOIN ({select_measures(of_gaps)}) gaps USING (customer_id)"  # noqa: S608


def _group(measure: str) -> str:
    direction = "DESC" if MEASURES[measure].better == "less" else "ASC"
    return f"least(:groups, 1 + floor(percent_rank() OVER (ORDER BY m.{measure} {direction}) * :groups))::int"


def _left_out(session: Session, first: date, last: date) -> dict[str, int]:
    return dict(session.execute(_LEFT_OUT, {"first": first, "last": last}).one()._mapping)


def _rate(part: int, whole: int) -> float:
    """A share with six decimals; of nobody, nothing."""
    return round(part / whole, 6) if whole else 0.0

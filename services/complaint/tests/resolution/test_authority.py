"""The authority matrix of compensation: limits per case and role, summed, valued, with the reason said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaint.resolution.domain import authority, money_granted, points_granted

LIMITS = {
    "front_desk": Decimal(0),
    "handler": Decimal(200),
    "service_manager": Decimal(2000),
    "store_manager": Decimal(10_000),
    "director": None,
}


def ruled(value: str, *roles: str, before: str = "0"):
    return authority(Decimal(value), Decimal(before), roles, LIMITS, "CNY")


@pytest.mark.rule("ML-02")
@pytest.mark.parametrize(
    ("role", "value", "within"),
    [
        ("handler", "200", True),
        ("handler", "200.01", False),
        ("service_manager", "2000", True),
        ("service_manager", "2000.01", False),
        ("store_manager", "10000", True),
        ("store_manager", "10000.01", False),
        ("director", "1000000", True),
        ("administrator", "0.01", False),
        ("front_desk", "0.01", False),
        ("auditor", "0.01", False),
    ],
)
def test_each_role_decides_up_to_its_limit(role: str, value: str, within: bool) -> None:
    assert ruled(value, role).within is within


def test_what_is_above_the_limit_goes_to_the_roles_that_may_smallest_first() -> None:
    ruling = ruled("300", "handler")

    assert ruling.may == ("service_manager", "store_manager", "director")
    assert ruling.because == (
        "300.00 CNY in this case: above the limit of 200.00 CNY;"
        " service_manager, store_manager, director may approve it"
    )


@pytest.mark.rule("ML-02")
def test_a_sum_is_not_made_smaller_by_being_paid_in_parts() -> None:
    assert ruled("150", "handler").within
    ruling = ruled("150", "handler", before="150")

    assert (ruling.within, ruling.summed) == (False, Decimal(300))
    assert "150.00 before and 150.00 now" in ruling.because


def test_words_alone_need_nobodys_approval() -> None:
    assert ruled("0", "front_desk", before="5000").within


def test_of_several_roles_the_widest_counts() -> None:
    assert ruled("1500", "handler", "service_manager", "marketing").within


def test_points_count_at_the_packs_rate() -> None:
    assert points_granted(20_000, 100, Decimal(1)).value == Decimal(200)
    assert points_granted(1, 100, Decimal(1)).value == Decimal("0.01")
    assert money_granted(Decimal("12.50"), "CNY").value == Decimal("12.50")


@given(st.lists(st.decimals(min_value="0.01", max_value="5000", places=2), min_size=1, max_size=8))
def test_a_handler_never_grants_more_than_the_limit_however_it_is_split(parts: list[Decimal]) -> None:
    granted = Decimal(0)
    for part in parts:
        if authority(part, granted, ["handler"], LIMITS, "CNY").within:
            granted += part

    assert granted <= Decimal(200)


@given(st.decimals(min_value="0.01", max_value="1000000", places=2), st.sampled_from(sorted(LIMITS)))
def test_whoever_may_approve_would_have_been_within_their_own_limit(value: Decimal, role: str) -> None:
    ruling = authority(value, Decimal(0), [role], LIMITS, "CNY")

    assert all(authority(value, Decimal(0), [able], LIMITS, "CNY").within for able in ruling.may)
    assert ruling.within == (role in ruling.may)

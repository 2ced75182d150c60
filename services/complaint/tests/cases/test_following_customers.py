"""The registry tells of many customers at once: each copy ends at its newest state, and cases find whose they are."""

from __future__ import annotations

import uuid
from typing import Any

from chassis.messaging.testing import deliver


def _event(customer_id: str, sequence: str, type: str = "registered", **state: Any) -> dict[str, Any]:
    data = {
        "customer_id": customer_id,
        "code": f"C-{customer_id[:6]}",
        "kind": "individual",
        "name": "王芳",
        "status": "active",
        "unit": "SH001",
        "identities": [],
        "grade": None,
        "classes": {},
        "standing": {"may_trade": True, "reasons": []},
        **state,
    }
    return {
        "specversion": "1.0",
        "id": f"{customer_id}-{sequence}",
        "source": "/kezhi/customer",
        "type": f"customer.{type}.v1",
        "subject": customer_id,
        "time": "2026-11-20T02:00:00+00:00",
        "sequence": sequence,
        "data": data,
    }


def test_of_one_customer_the_newest_state_of_a_batch_counts_in_whatever_order_it_came(house):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())

    fates = deliver(
        house.runtime,
        "customers",
        [
            _event(one, "3", "updated", name="王芳芳", grade="gold", changed=["name"]),
            _event(one, "1"),
            _event(other, "1", name="李明"),
        ],
    )

    assert fates == ["accepted"] * 3
    found = house.rows("SELECT id, name, grade, version FROM customer_copy ORDER BY version DESC")
    assert [(str(row["id"]), row["name"], row["grade"], row["version"]) for row in found] == [
        (one, "王芳芳", "gold", 3),
        (other, "李明", None, 1),
    ]


def test_a_merge_within_a_batch_comes_after_what_was_said_before_it(house):
    kept, gone = str(uuid.uuid4()), str(uuid.uuid4())

    merge = {"merge_id": str(uuid.uuid4()), "merged_customer_id": gone, "merged_at": "2026-11-20T02:00:00+00:00"}

    deliver(house.runtime, "customers", [_event(kept, "1"), _event(gone, "1"), _event(kept, "2", "merged", **merge)])

    found = house.rows("SELECT status, merged_into FROM customer_copy WHERE id = :gone", gone=gone)
    assert (found[0]["status"], str(found[0]["merged_into"])) == ("merged", kept)

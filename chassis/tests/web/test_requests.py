"""A request is one transaction, and everything refused is refused in the same words."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_created_thing_is_read_again(keeper: Any, a_book: Any) -> None:
    made = keeper.post("/api/v1/books", json=a_book())

    assert made.status_code == 201
    read = keeper.get(f"/api/v1/books/{made.json['id']}")
    assert read.json == made.json
    assert read.json["price"] == "12.50"
    assert read.headers["ETag"] == '"1"'

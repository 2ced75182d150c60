"""Forms ask the pack what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.runtime import Runtime
from complaint.bootstrap import build_service


@pytest.mark.rule("CG-12")
def test_forms_offer_what_the_pack_accepts(make_runtime: Callable[..., Runtime], client: Callable[..., Any]) -> None:
    said = client(make_runtime(build_service), roles=["front_desk"]).get("/api/v1/complaints/choices").json

    assert said["channels"][:3] == ["hotline", "portal", "store_box"]
    assert {"product.damaged", "safety.food_poisoning", "policy", "other"} <= set(said["categories"])
    assert (said["scale"]["1"], said["closes"], said["attempts"]) == ("very satisfied", [1, 2, 3], 3)
    assert said["ladder"] == ["handler", "service_manager", "store_manager", "director"]
    assert said["currency"] == "CNY"


def test_strangers_are_told_nothing(make_runtime: Callable[..., Runtime], client: Callable[..., Any]) -> None:
    runtime = make_runtime(build_service)

    assert client(runtime, roles=None).get("/api/v1/complaints/choices").status_code == 401
    assert client(runtime, roles=["finance"]).get("/api/v1/complaints/choices").status_code == 403

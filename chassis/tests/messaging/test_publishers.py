"""Outside systems say only what they may; nobody gains by claiming to be somebody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.messaging.publishers import Publishers, PublishersFileWrong
from chassis.settings import Settings

FILE = """
kezhi_customer: internal
pos:
  sources: [/pos/shanghai-*, /kiosk]
  stores: [SH001]
  types: [purchase.completed.v1]
erp: {sources: "*", stores: "*", types: "*"}
"""


@pytest.fixture
def publishers(tmp_path: Path) -> Publishers:
    return loaded(tmp_path, FILE)


def loaded(folder: Path, content: str) -> Publishers:
    file = folder / "publishers.yaml"
    file.write_text(content)
    return Publishers.of(Settings("shop", "postgresql://", "amqp://", publishers_file=file))


@pytest.mark.parametrize(
    ("publisher", "change", "objection"),
    [
        (("pos", None), {}, None),
        (("pos", None), {"source": "/kiosk"}, None),
        (("pos", None), {"source": "/kiosk/2"}, "may not speak as source"),
        (("pos", None), {"source": "/pos/beijing-1"}, "may not speak as source"),
        (("pos", None), {"type": "purchase.refunded.v1"}, "may not say"),
        (("pos", None), {"store": "BJ001"}, "may not speak for store"),
        (("erp", None), {"source": "/anything", "store": "BJ001"}, None),
        ((None, None), {}, "no user_id"),
        (("stranger", None), {}, "no known publisher"),
        (("kezhi_customer", None), {"source": "/anything"}, None),
        (("kezhi_customer", "pos"), {"source": "/anything"}, "may not speak as source"),
        (("kezhi_customer", ""), {}, "no user_id"),
        (("pos", "kezhi_customer"), {"source": "/anything"}, "may not speak as source"),
        (("pos", "erp"), {"source": "/anything"}, "may not speak as source"),
    ],
)
def test_a_publisher_says_only_what_it_may(
    publishers: Publishers,
    shop: Any,
    publisher: tuple[str | None, str | None],
    change: dict[str, str],
    objection: str | None,
) -> None:
    event = shop.purchase(store=change.pop("store", "SH001"))
    found = publishers.objection(publisher, replace(event, **({"source": "/pos/shanghai-001"} | change)))

    assert (found is None) if objection is None else (objection in str(found))


def test_whoever_claims_another_name_is_remembered_by_their_own(publishers: Publishers) -> None:
    assert publishers.origin(("pos", "kezhi_customer")) == "pos"
    assert publishers.origin(("kezhi_customer", "pos")) == "pos"
    assert publishers.origin((None, "kezhi_customer")) == ""


def test_without_a_file_everybody_may_say_anything(shop: Any) -> None:
    assert Publishers.of(Settings("shop", "postgresql://", "amqp://")).objection((None, None), shop.purchase()) is None


@pytest.mark.parametrize("content", ["- pos", "pos: 1", "pos: {sources: 1}", "pos: {colour: red}", "pos: {}", "{"])
def test_a_wrong_file_stops_the_process_with_its_name(tmp_path: Path, content: str) -> None:
    with pytest.raises(PublishersFileWrong, match=r"publishers\.yaml"):
        loaded(tmp_path, content)

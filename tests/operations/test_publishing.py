"""`kezhi publish`: rows become purchases by templates, files go on where a run was cut off, refusals are named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from chassis.messaging.broker import connect
from kezhi.home import Configuration, Home
from kezhi.publishing import Mapping, publish_file, read_moment

ROW = {"id": "7", "date": "19970118", "spent": "29.73"}
COLUMNS = ("purchase_id=T-{row}", "customer=card:{id}", "occurred_at={date}", "total={spent}")


def test_a_row_becomes_a_purchase_by_templates() -> None:
    event = Mapping.parse("/pos/test", COLUMNS).event(ROW, 3)

    assert (event["id"], event["subject"], event["source"]) == ("T-3", "card:7", "/pos/test")
    assert event["data"]["occurred_at"] == "1997-01-18T12:00:00+00:00"
    assert event["data"]["total"] == "29.73"


def test_a_missing_column_is_named_with_those_that_there_are() -> None:
    with pytest.raises(click.ClickException, match="no column 'price'; the file has id, date, spent"):
        Mapping.parse("/pos/test", ("total={price}",)).event(ROW, 1)


def test_a_field_that_no_column_fills_is_named_with_the_mend() -> None:
    with pytest.raises(click.ClickException, match=r"row 1: no purchase_id; name its column with --set purchase_id="):
        Mapping.parse("/pos/test", ("total={spent}",)).event(ROW, 1)


def test_an_unknown_field_is_refused_with_the_known_ones() -> None:
    with pytest.raises(click.UsageError, match="price=1: write FIELD=TEMPLATE with FIELD one of channel, currency"):
        Mapping.parse("/pos/test", ("price=1",))


@pytest.mark.parametrize("written", ["19970118", "1997-01-18", "1997/01/18"])
def test_a_day_is_noon_utc_so_that_it_is_the_same_day_in_shanghai(written: str) -> None:
    assert read_moment(written, 1).isoformat() == "1997-01-18T12:00:00+00:00"


def test_no_date_is_said_with_its_row() -> None:
    with pytest.raises(click.ClickException, match="row 9: 'soon' is no date"):
        read_moment("soon", 9)


@pytest.fixture
def place(tmp_path: Path, amqp_url: str, instance: str) -> Iterator[tuple[Home, Configuration, list[bytes]]]:
    """A home, a configuration, and a way to see what reached the exchange: a list filled when the test reads it."""
    name = f"kezhi.{instance}.purchases"
    with connect(amqp_url) as connection:
        channel = connection.channel()
        channel.auto_decode = False
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
        channel.queue_declare(f"{name}.arrived", durable=True, auto_delete=False)
        channel.queue_bind(f"{name}.arrived", name, "purchase.#")
        arrived = _Arrived(channel, f"{name}.arrived")
        yield Home(tmp_path / "home"), Configuration(instance, amqp_url, "-", 1), arrived
        channel.queue_delete(f"{name}.arrived")
        channel.exchange_delete(name)


class _Arrived(list[bytes]):
    def __init__(self, channel: Any, queue: str) -> None:
        super().__init__()
        self._channel, self._queue = channel, queue

    def read(self) -> list[bytes]:
        while got := self._channel.basic_get(self._queue, no_ack=True):
            self.append(got.body)
        return self


def _publish(place: tuple[Home, Configuration, list[bytes]], path: Path, **options: object) -> tuple[int, int]:
    given = {"source": "/pos/test", "columns": COLUMNS, "last_day": None, "restart": False, **options}
    return publish_file(place[0], place[1], path, **given)  # type: ignore[arg-type]


@pytest.mark.broker
def test_a_csv_is_published_once_and_a_second_run_goes_on_after_it(
    place: tuple[Home, Configuration, _Arrived], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("id,date,spent\n" + "".join(f"{n},20261101,{n}.00\n" for n in range(1, 8)))

    first = _publish(place, file)
    again = _publish(place, file)
    from_the_start = _publish(place, file, restart=True)

    assert (first, again, from_the_start) == ((7, 0), (0, 0), (7, 0))
    assert "going on after 7 already confirmed" in capsys.readouterr().out
    assert [json.loads(body)["id"] for body in place[2].read()] == [f"T-{n}" for n in range(1, 8)] * 2


@pytest.mark.broker
def test_what_the_contract_refuses_is_named_and_left_out(
    place: tuple[Home, Configuration, _Arrived], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("id,date,spent\n1,20261101,5.00\n2,20261101,plenty\n")

    assert _publish(place, file) == (1, 1)
    assert "refused: event 2 (T-2): data.total" in capsys.readouterr().out


@pytest.mark.broker
def test_dates_are_shifted_so_that_the_last_is_the_given_day(
    place: tuple[Home, Configuration, _Arrived], tmp_path: Path
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("id,date,spent\n1,19970101,5.00\n2,19970111,5.00\n")

    _publish(place, file, last_day="2026-11-20")

    days = [json.loads(body)["data"]["occurred_at"][:10] for body in place[2].read()]
    assert days == ["2026-11-10", "2026-11-20"]

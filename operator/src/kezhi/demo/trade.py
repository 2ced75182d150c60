"""Registration and sales of the demo: customers by the file, purchases through the broker as tills send them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.progress import Progress

from chassis.messaging.names import BrokerNames
from kezhi.api import Refused
from kezhi.demo.company import OWNERS
from kezhi.demo.customers import Customer, customer
from kezhi.demo.people import People, await_job, eventually
from kezhi.demo.plan import Plan
from kezhi.demo.purchases import Year, told
from kezhi.home import Configuration
from kezhi.outlet import open_outlet

LOOK = 500  # events between two looks at what the broker confirmed
PIECE = 60_000  # characters of the import file that are sent at once


@dataclass
class Trade:
    """The year's customers and purchases, period by period; none is kept."""

    people: People
    configuration: Configuration
    year: Year
    plan: Plan
    seed: int
    progress: Progress

    def register(self, period: int) -> None:
        """One import file with who registers for a period."""
        numbers = self.plan.registers[period]
        if numbers:
            api = self.people.machine
            lines = _file(customer(number, self.seed) for number in numbers)
            job = api.request("POST", "/imports", {"Content-Type": "text/csv"}, content=lines)
            await_job(api, job)

    def sell(self, period: int, after: datetime, until: datetime) -> None:
        """Publish what the tills told between two instants, and wait until it is in everybody's books."""
        last = self.publish(told(self.plan.buys[period], self.year, after, until, self.seed))
        if last is not None:
            eventually("purchases in the books", lambda: self._booked(last))

    def publish(self, events: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
        """Send events as they are, confirmed by the broker; answers the last one."""
        exchange = BrokerNames(self.configuration.instance).exchange("purchases")
        task = self.progress.add_task("purchases", total=None)
        last = None
        with open_outlet(self.configuration.amqp_url, exchange, check=False) as outlet:
            for count, last in enumerate(events, 1):
                outlet.publish(last)
                if count % LOOK == 0:
                    outlet.flush()
                    self.progress.update(task, completed=count)
            outlet.flush()
        self.progress.remove_task(task)
        return last

    def _booked(self, event: dict[str, Any]) -> bool:
        """Whether the customer service and loyalty have taken this event, and so all before it."""
        api = self.people.machine
        try:
            bought = api.get(f"/purchases/{event['data']['purchase_id']}")
            if "refund_id" in event["data"]:
                return any(refund["refund_id"] == event["data"]["refund_id"] for refund in bought["refunds"])
            if bought["status"] == "waiting":  # of a customer whom the import took for somebody else
                return True
            lines = api.get(f"/members/{bought['customer_id']}/entries", limit=3)["items"]
        except Refused:
            return False
        return any(bought["purchase_id"] in str(line) for line in lines)

    def map_stores(self, units: dict[str, str]) -> None:
        """Say which unit each store belongs to, once its purchases have come."""
        api = self.people.machine
        for store in api.get("/unmatched-purchases/stores", limit=200)["items"]:
            code = store["code"]
            if store["unit"] is None and code in units:
                api.request("PUT", f"/unmatched-purchases/stores/{code}", json={"unit": units[code]})


def _file(customers: Iterable[Customer]) -> Iterator[bytes]:
    """The import file, piece by piece."""
    buffer = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for one in customers:
        row = one.row(OWNERS)
        if writer is None:
            writer = csv.DictWriter(buffer, list(row))
            writer.writeheader()
        writer.writerow(row)
        if buffer.tell() > PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()

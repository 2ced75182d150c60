"""What else happens in a company: people are away, grades fall, somebody is barred, registered twice, spends points.

And what goes wrong at its edges: a card that nobody knows, an old till that does not add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Any

from kezhi.api import Refused
from kezhi.demo.cases import Cases
from kezhi.demo.customers import founders
from kezhi.demo.people import People
from kezhi_contracts.events import purchase

SHANGHAI = ("SH001", "SH002", "SH003")
AWAY, DEPUTY = "cao.ning", "deng.kai"
DIRECTOR, HOTLINE, TILL, MANAGER = "zhao.min", "wu.fang", "pan.xi", "zheng.yu"


@dataclass
class Life:
    """The happenings, each by the one whose business it is."""

    people: People
    cases: Cases
    customers: int
    seed: int

    def go_away(self, at: datetime) -> None:
        """A handler is on holiday for a week, and somebody stands in."""
        until = at + timedelta(days=9)
        absence = {"from": at.isoformat(), "until": until.isoformat(), "deputy": DEPUTY}
        self.people(AWAY).request("PUT", "/staff/me/absence", json=absence)
        self.cases.away[AWAY] = DEPUTY

    def approve_falls(self, at: datetime) -> None:
        """The director agrees that last month's grades fall."""
        director = self.people(DIRECTOR)
        for proposal in director.get("/services/customer/approvals", status="proposed", limit=20)["items"]:
            if proposal["kind"] != "blacklist":
                director.post(f"/services/customer/approvals/{proposal['id']}/approve", {"note": "按月度评级结果执行"})

    def blacklist(self, at: datetime) -> None:
        """An enterprise that never pays: the account manager proposes, the director agrees."""
        one = next(founders(self.customers, "enterprise", SHANGHAI, self.seed), None)
        if one is None:
            return  # a company too small to have such customers
        debtor = self._id_of(one.card)
        body = {
            "scope": "company",
            "reason": "连续三笔货款逾期 90 天以上，两次催收后失联，并以虚假验收单要求退货",
            "evidence": ["对账单 3 份", "催收函回执", "快递签收记录"],
        }
        proposal = self.people(MANAGER).post(f"/customers/{debtor}/blacklist", body)
        agreed = {"note": "证据充分，同意列入"}
        self.people(DIRECTOR).post(f"/services/customer/approvals/{proposal['id']}/approve", agreed)

    def register_twice(self, at: datetime) -> None:
        """A customer who forgot the old card gets a new one: the same telephone, the name misheard."""
        one = next(founders(self.customers, "individual", ("SH001",), self.seed))
        again = {
            "kind": "individual",
            "name": one.name[0] + ("小" + one.name[-1]),
            "phones": [{"number": one.phone}],
            "birthday": one.birthday.isoformat() if one.birthday else None,
            "identities": [{"scheme": "card", "value": "87000001"}],
            "unit": one.place.store,
            "force": True,
            "tags": ["疑似重复"],
        }
        self.people(TILL).post("/customers", again)

    def keep_lunar_birthdays(self, at: datetime) -> None:
        """Some of the elder keep their birthday by the moon."""
        elder = (one for one in founders(self.customers, "individual", seed=self.seed) if one.birthday.year < 1958)  # type: ignore[union-attr]
        for one in islice(elder, 8):
            born = one.birthday or at.date()
            day = {"kind": "birthday", "calendar": "lunar", "month": born.month, "day": min(born.day, 29)}
            self.people.machine.patch(f"/customers/{self._id_of(one.card)}", {"special_dates": [day]})

    def consent(self, at: datetime) -> None:
        """At the till people say what they want to be written, and what not."""
        said = (
            ("marketing", "sms", True),
            ("marketing", "email", True),
            ("care", "sms", False),
            ("marketing", "sms", True),
        )
        for one, (class_, channel, given) in zip(
            founders(self.customers, "individual", seed=self.seed), said, strict=False
        ):
            body = {"class": class_, "channel": channel, "given": given, "source": "收银台签字"}
            self.people(HOTLINE).post(f"/consents/{self._id_of(one.card)}", body)

    def spend_points(self, at: datetime) -> None:
        """At the till: some points are captured, some given back, some held for a parcel to be fetched tomorrow."""
        till = self.people.machine
        rich = [
            member
            for tier in ("diamond", "platinum", "gold")
            for member in till.get("/members", tier=tier, limit=6)["items"]
            if member["points"]["available"] >= 500 and member["points"]["blocked"] == 0
        ]
        for number, member in enumerate(rich[:10]):
            points = min(member["points"]["available"] // 100 * 50, 20_000)
            body = {
                "customer_id": member["customer_id"],
                "points": points,
                "reference": f"SH001-{at:%Y%m%d}-积分抵现-{number + 1:02}",
                **({"expires_in": 3 * 86_400} if number == 9 else {}),
            }
            mark = f"demo-{at:%Y%m%d}-{number}"
            try:
                hold = till.post("/holds", body, f"{mark}-hold")
            except Refused as refused:
                if refused.status != HTTPStatus.CONFLICT:
                    raise
                continue  # the one who is barred may not spend either
            if number == 8:
                till.post(f"/holds/{hold['id']}/release", {}, f"{mark}-release")
            elif number != 9:
                taken = {"points": points // 2} if number == 7 else {}
                till.post(f"/holds/{hold['id']}/capture", taken, f"{mark}-capture")

    def _id_of(self, card: str) -> str:
        return str(self.people.machine.get("/customers", identity=f"card:{card}")["items"][0]["id"])


def stray_events(at: datetime) -> list[dict[str, Any]]:
    """A purchase of a card that nobody has registered, and one of an old till whose lines don't make its total."""

    def sale(number: str, card: str, total: str, amount: str) -> dict[str, Any]:
        return purchase(
            source="/pos/BJ002",
            purchase_id=number,
            occurred_at=(at - timedelta(minutes=40)).astimezone(UTC),
            identity=f"card:{card}",
            total=total,
            lines=[{"sku": "YX-T0500G", "quantity": "3", "amount": amount}],
            store="BJ002",
            channel="store",
        )

    day = f"{at:%Y%m%d}"
    return [
        sale(f"BJ002-{day}-NEWCARD", "88999999", "12.00", "12.00"),
        sale(f"BJ002-{day}-OLDTILL", "88000002", "21.00", "12.00"),
    ]

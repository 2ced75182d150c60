"""The complaints of the demo, acted out: whoever has a case at the moment does what its story says, as the API allows.

What a story does not say happens by itself, as in any company: who gets a case, how long there is, who is told, what is
late and goes up. So nobody is named here but by what they are to the case.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click

from gateway.portal.challenge import Challenge, solve
from kezhi.api import Refused
from kezhi.demo import courses
from kezhi.demo.courses import Deed, Story
from kezhi.demo.customers import Customer, founders
from kezhi.demo.people import People, all_of, eventually

HOTLINE, DIRECTOR = "wu.fang", "zhao.min"
ANSWERS = "/portal/answers/"
_LINK = re.compile(rf"{ANSWERS}([A-Za-z0-9_-]+)")
SAID = ("type", "subject", "description", "category", "insists", "wanted")
PILES = 6  # people who work at the same time


@dataclass
class Cases:
    """Everything known of the demo's complaints while they are told; ``away``: who is, and who stands in."""

    people: People
    outgoing: Path
    customers: int
    seed: int
    away: dict[str, str] = field(default_factory=dict)
    _told: dict[str, dict[str, Any]] = field(default_factory=dict)  # subject → the case as last seen
    _who: dict[str, Customer] = field(default_factory=dict)  # subject → who complains
    _read: set[str] = field(default_factory=set)  # messages that were looked at
    _links: dict[str, str] = field(default_factory=dict)  # telephone → newest link to answer by

    def receive(self, story: Story, at: datetime) -> None:
        """A complaint comes in."""
        said = self._said(story)
        if story["channel"].startswith("portal"):
            self._told[story["subject"]] = self._through_the_portal(story, said)
            return
        if "unverified" in story:
            said |= {"complainant": {"name": story["unverified"], "phone": "12345"}, "unit": story["store"]}
        else:
            said["customer_id"] = self._id_of(self._complainant(story))
        if "ago" in story:
            said["received_at"] = (at - timedelta(hours=story["ago"])).isoformat()
        made = self.people(HOTLINE).post("/complaints", {"channel": story["channel"], **said})
        self._told[story["subject"]] = made

    def work(self, piled: Iterable[tuple[Story, Deed]], at: datetime) -> None:
        """What is done at one hour: each person works through their own pile, several people at a time."""
        piles: dict[str, list[tuple[Story, Deed]]] = defaultdict(list)
        for story, deed in piled:
            piles[self._doer(story, deed)].append((story, deed))

        def pile(doer: str) -> None:
            for story, deed in piles[doer]:
                self._do(story, deed, doer, at)

        with ThreadPoolExecutor(PILES) as pool:
            list(pool.map(pile, sorted(piles)))

    def settle(self, at: datetime) -> None:
        """Wait until every clock that ran out by ``at`` was noticed, and its case went where it goes then."""
        if not self._told:
            return

        def noticed() -> bool:
            opened = list(all_of(self.people.machine, "/complaints", open="true"))
            for case in opened:
                if case["subject"] in self._told:
                    self._told[case["subject"]] = case
            return not any(
                clock["status"] == "running" and datetime.fromisoformat(clock["due_at"]) <= at
                for case in opened
                for clock in case["clocks"]
            )

        eventually("breaches of the complaints' clocks", noticed)

    def _said(self, story: Story) -> dict[str, Any]:
        said = {name: story[name] for name in SAID if name in story}
        if "value" in story:
            said["value"] = {"amount": f"{story['value']}.00", "currency": "CNY"}
        if "against" in story:
            said["against"] = {"kind": "staff", "ref": story["against"]}
        if "against_unit" in story:
            said["against"] = {"kind": "store", "ref": story["against_unit"]}
        if "ref" in story:
            said["details"] = {"来文": story["ref"]}
        return said

    def _complainant(self, story: Story) -> Customer:
        """The next customer of that store and kind who was there from the beginning; the one of before, if told so."""
        subject = story["subject"]
        if "same" in story:
            self._who[subject] = self._who[story["same"]]
        if subject not in self._who:
            taken = {one.number for one in self._who.values()}
            fit = founders(self.customers, story.get("kind", "individual"), (story["store"],), self.seed)
            found = next((one for one in fit if one.number not in taken), None)
            self._who[subject] = found or next(founders(self.customers, "individual", seed=self.seed))
        return self._who[subject]

    def _id_of(self, one: Customer) -> str:
        found = self.people.machine.get("/customers", identity=f"card:{one.card}")["items"]
        return str(found[0]["id"])

    def _through_the_portal(self, story: Story, said: dict[str, Any]) -> dict[str, Any]:
        """As anybody may, with the proof of work that a browser would do."""
        if story["channel"] == "portal_known":
            one = self._complainant(story)
            said["complainant"] = {"name": one.name, "phone": one.phone}
        asked = self.people.stranger("GET", "/portal/challenge")
        solution = solve(Challenge(asked["challenge"], asked["bits"], datetime.fromisoformat(asked["expires_at"])))
        proof = {"challenge": asked["challenge"], "solution": solution}
        taken = self.people.stranger("POST", "/portal/complaints", {**said, **proof})
        found = self.people.machine.get("/complaints", q=taken["number"], limit=1)["items"]
        return dict(found[0])

    def _doer(self, story: Story, deed: Deed) -> str:
        case = self._told[story["subject"]]
        match deed.who:
            case courses.HANDLER:
                handler = case["handler"] or DIRECTOR
                return self.away.get(handler, handler)
            case courses.APPROVER:
                proposals = self.people.machine.get(f"/complaints/{case['id']}/resolution")["proposals"]
                return str(proposals[-1]["approver"] or DIRECTOR)
            case courses.DESK:
                return HOTLINE
        return courses.CUSTOMER

    def _do(self, story: Story, deed: Deed, doer: str, at: datetime) -> None:
        """One deed. A clock that ran out may have handed the case on: then whoever has it now does it."""
        if doer == courses.CUSTOMER:
            self._answer_by_link(story, deed.body)
            return
        case = self._told[story["subject"]]
        body = dict(deed.body)
        if "in_days" in body:
            body["due_at"] = (at + timedelta(days=body.pop("in_days"))).isoformat()
        for _ in range(3):
            try:
                done = self.people(doer).post(f"/complaints/{case['id']}/{deed.action}", body)
            except Refused as refused:
                if deed.who != courses.HANDLER or refused.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                    raise
                self._told[story["subject"]] = self.people.machine.get(f"/complaints/{case['id']}")
                doer = self._doer(story, deed)
            else:
                self._told[story["subject"]] = done
                return
        raise click.ClickException(f"{case['number']}: nobody may {deed.action}")

    def _answer_by_link(self, story: Story, body: Mapping[str, Any]) -> None:
        """The customer opens the message on their telephone - here, its file - and answers by the link in it."""
        phone = f"+86{self._who[story['subject']].phone}"
        token = eventually("the link to answer by", lambda: self._link_for(phone))
        self.people.stranger("POST", f"{ANSWERS}{token}", dict(body))

    def _link_for(self, phone: str) -> str | None:
        for path in sorted(self.outgoing.glob("sms-*.json")):
            if path.name not in self._read:
                self._read.add(path.name)
                message = json.loads(path.read_text())
                if link := _LINK.search(message["text"]):
                    self._links[message["to"]] = link[1]
        return self._links.pop(phone, None)

"""``kezhi demo``: a company to look at, made through the public interfaces and nothing else.

Its purchases are the CDNOW sample: real ones, with published facts, moved so that the last day is yesterday.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from kezhi import demo_company, demo_complaints
from kezhi.api import Api, Refused
from kezhi.home import Configuration, Home
from kezhi.installation import Installation
from kezhi.packs import default_pack
from kezhi.publishing import publish_file
from kezhi.status import await_quiet
from kezhi.up import running

SAMPLE = Path(__file__).parent / "data" / "cdnow_transactions.csv"
CUSTOMERS = 2_357
COLUMNS = (
    "purchase_id=CDNOW-{row}",
    "customer=card:{id}",
    "occurred_at={date}",
    "total={spent}",
    "currency=CNY",
    "store=SH001",
    "channel=online",
)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鹏玲辉红建文斌宇浩然子轩梓涵欣怡"
PATIENCE_SECONDS = 240.0


def demo(home: Home, configuration: Configuration, leave: bool) -> None:
    """Start an installation, fill it, show it; stays up unless ``leave``."""
    console = Console()
    began = time.monotonic()
    home.create()
    password = admin_password(home)
    os.environ["KEZHI_ADMIN_PASSWORD"] = password
    with running(home, configuration, default_pack(), console.print) as (installation, stopping):
        address = f"http://127.0.0.1:{installation.configuration.port}"
        console.print(f"started in {time.monotonic() - began:.1f} s")
        api = Api(address, "admin", password)
        fill(api, installation.home, installation.configuration, password)
        console.print(summary(api))
        console.print(f"ready {address}   sign in as admin / {password}   log {home.log}")
        console.print(f"{time.monotonic() - began:.0f} s in all")
        if not leave:
            stopping.wait()


def admin_password(home: Home) -> str:
    """``KEZHI_ADMIN_PASSWORD``, else one made up once and kept in the home: a demo may tell its password every time."""
    kept = home.path / "demo-password"
    if given := os.environ.get("KEZHI_ADMIN_PASSWORD"):
        return given
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(12))
    return kept.read_text()


def fill(api: Api, home: Home, configuration: Configuration, password: str) -> None:
    """Units, staff, customers, purchases, classes and grades. Repeatable: what exists is not made twice."""
    demo_company.found(api, password)
    register_customers(api)
    publish_file(home, configuration, SAMPLE, source="/pos/cdnow", columns=COLUMNS, last_day="yesterday", restart=False)
    await_quiet(Installation(home, configuration), PATIENCE_SECONDS)
    tell_complaints(api, password)
    for scheme in ("frequency", "amount", "nature"):
        await_job(api, api.post("/classifications", {"scheme": scheme}))
    await_job(api, api.post("/gradings", {}))


def tell_complaints(api: Api, password: str) -> None:
    """The complaints of some of these customers, handled by the staff under their own names."""
    people = {"admin": api}

    def sign_in(username: str) -> Api:
        return people.setdefault(username, Api(api.base, username, password))

    cards = [story.card for story in demo_complaints.STORIES if story.card]
    demo_complaints.tell(
        sign_in, {card: api.get("/customers", identity=f"card:{card}")["items"][0]["id"] for card in cards}
    )


def register_customers(api: Api) -> None:
    """2,357 customers with plausible names, one loyalty card each; the same ones at every run."""
    chance = random.Random(1997)  # noqa: S311 - names, not secrets
    people = [
        {
            "kind": "individual",
            "name": chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.choice((1, 2)))),
            "identities": [{"scheme": "card", "value": str(card)}],
            "phones": [{"number": f"138{chance.randrange(10**8):08}"}],
            "birthday": f"{chance.randint(1956, 2005)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "unit": "SH001",
            "force": True,  # namesakes are meant
        }
        for card in range(1, CUSTOMERS + 1)
    ]
    with ThreadPoolExecutor(4) as pool:
        for _ in track(pool.map(partial(_register, api), people), "registering", total=CUSTOMERS, transient=True):
            pass


def _register(api: Api, person: dict[str, Any]) -> None:
    try:
        api.post("/customers", person, f"demo-{person['identities'][0]['value']}")
    except Refused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
        # The demo was made on an earlier day: this card has its customer.


def await_job(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    """Poll a job to its end. Raises ClickException when it failed."""
    service = "customer"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while job["status"] not in ("done", "failed"):
        if time.monotonic() > deadline:
            raise click.ClickException(f"job {job['id']} is still {job['status']}")
        time.sleep(0.3)
        job = api.get(f"/services/{service}/jobs/{job['id']}")
    if job["status"] == "failed":
        raise click.ClickException(f"job {job['id']} failed; see the log")
    return job


def summary(api: Api) -> Table:
    """The closing table."""
    liability = api.get("/loyalty-reports/liability")
    loyalty = api.get("/insight/loyalty")
    table = Table("what", "figure", title="客至 demo")
    table.add_row("customers who bought", f"{loyalty['customers']:,}")
    table.add_row("repeat-purchase rate", str(loyalty["repeat_purchase_rate"]))
    table.add_row("churn rate", str(loyalty["churn_rate"]))
    counts = api.get("/complaints/counts")
    table.add_row("open complaints", f"{counts['open']}, of them late: {counts['breached']}")
    table.add_row("points outstanding", f"{liability['points_outstanding']:,}")
    table.add_row("liability", str(liability["money"]))
    for tier in liability["by_tier"]:
        table.add_row(f"  tier {tier['tier']}", f"{tier['points']:,} points")
    return table

"""``kezhi demo``: start an installation, make the company in it or recognise it, show it, stay up.

The home remembers how far it got: a company that was made is shown again; one whose making was cut off is thrown away
and made anew, because its clock stood somewhere in the past; any other installation is left alone.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TextColumn

from kezhi.demo.customers import SEED
from kezhi.demo.figures import Figures, count
from kezhi.demo.making import Making, opening
from kezhi.demo.people import Clock, People
from kezhi.demo.purchases import ZONE, Year
from kezhi.demo.table import logins, summary
from kezhi.home import Configuration, Home
from kezhi.packs import default_pack
from kezhi.reset import reset
from kezhi.up import running

MAKING, MADE = "making", "made"


def demo(home: Home, configuration: Configuration, leave: bool, customers: int = 2_000) -> None:
    """Start it, fill it, show it; stays up unless ``leave``."""
    console = Console()
    began = time.monotonic()
    kept = Kept(home.path / "demo.json")
    if kept.state == MAKING:
        console.print("an earlier demo was cut off while it was made: starting over")
        reset(home, configuration, True)
    elif kept.state is None and home.configuration() is not None:
        raise click.ClickException(f"{home.path} holds an installation that is no demo; choose another --home")
    home.create()
    password = demo_password(home)
    now, clock = datetime.now(UTC), Clock(home.path / "demo-clock")
    os.environ["KEZHI_ADMIN_PASSWORD"] = os.environ["KEZHI_DEMO_PASSWORD"] = password
    if kept.state != MADE:
        kept.write(MAKING, customers, now)
        clock.travel_to(opening(Year(now.astimezone(ZONE).date())))
        os.environ["KEZHI_CLOCK"] = str(clock.file)
    with running(home, configuration, default_pack(), lambda _: None) as (installation, stopping):
        address = f"http://127.0.0.1:{installation.configuration.port}"
        console.print(f"started in {time.monotonic() - began:.1f} s; log {home.log}")
        people = People(address, password)
        if kept.state != MADE:
            outgoing = Path(os.environ.get("KEZHI_OUTGOING_DIR") or home.path / "outgoing")
            Making(people, clock, installation.configuration, outgoing, console, customers, password, now).make()
            kept.write(MADE, customers, now)
        elif kept.customers != customers:
            console.print(f"this demo was made with {kept.customers:,} customers; another --home makes another one")
        console.print(summary(_counted(people, console)))
        console.print(logins(address, password))
        console.print(f"{time.monotonic() - began:.0f} s in all")
        if not leave:
            console.print("stays up until Ctrl-C")
            stopping.wait()


class Kept:
    """What the home remembers of the demo in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state: str | None = None
        self.customers = 0
        if path.exists():
            known = json.loads(path.read_text())
            self.state, self.customers = known["state"], known["customers"]

    def write(self, state: str, customers: int, at: datetime) -> None:
        """Written beside and renamed: a crash leaves the old word or the new one."""
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps({"state": state, "customers": customers, "seed": SEED, "at": at.isoformat()}))
        draft.replace(self._path)


def _counted(people: People, console: Console) -> Figures:
    with Progress(TextColumn("counting {task.description}"), console=console, transient=True) as progress:
        task = progress.add_task("")

        def told(what: str, number: int) -> None:
            if number % 200 == 0:
                progress.update(task, description=f"{what} {number:,}")

        return count(people("admin"), told)


def demo_password(home: Home) -> str:
    """``KEZHI_ADMIN_PASSWORD``, else one made up once and kept in the home: a demo may tell its password every time."""
    kept = home.path / "demo-password"
    if given := os.environ.get("KEZHI_ADMIN_PASSWORD"):
        return given
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(12))
    return kept.read_text()

"""``kezhi policy simulate``: a pack is tried on the living, and nothing is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chassis.errors import Refusal
from chassis.jobs import JobRow
from chassis.policies.book import Policy
from chassis.policies.pack import from_documents
from chassis.policies.problems import PolicyRefused
from chassis.policies.sources import read_documents
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service
from kezhi.packs import library


def simulate(place: tuple[Home, Configuration], folder: Path) -> None:
    """Say, for every service that can, what the pack in ``folder`` would have made of what happened."""
    try:
        documents = read_documents(folder, library())
        for name in SERVICES:
            section = build_service(name).policy
            if section is not None and section.simulate is not None:
                _tell(name, _tried(place, name, documents))
    except PolicyRefused as refused:
        raise click.ClickException("\n".join(str(problem) for problem in refused.problems)) from None
    except Refusal as refused:
        raise click.ClickException(refused.detail) from None


def _tried(place: tuple[Home, Configuration], name: str, documents: dict[str, str]) -> dict[str, Any]:
    """Every step of the service's own job, waited for here: the draft is not staged, and no worker need run."""
    runtime = Installation(*place).runtime(name)
    try:
        with runtime.context() as context:
            pack = from_documents(documents)
            section: Any = runtime.service.policy
            tried = Policy(pack.cited, pack.hash, pack.company, section.read(pack), context.clock.now())
            current = context.policies.in_force()
            job = JobRow(params={"below": "/"}, done=0)  # the operator sees the whole company
            while section.simulate(context, current, tried, job):
                click.echo(f"{name}: {job.done} of {job.total}", err=True)
            context.session.rollback()
            found: dict[str, Any] = job.result or {}
            return found
    finally:
        runtime.engine.dispose()


def _tell(service: str, found: dict[str, Any]) -> None:
    click.echo(f"{service}: {found['tried']} instead of {found['in_force']}, from {found['from']} to {found['to']}")
    click.echo(f"  {found['members']} members, {found['purchases']} purchases valued again")
    points, cost, owed = found["points"], found["cost"], found["liability"]
    click.echo(f"  points {points['in_force']} → {points['tried']} ({points['delta']:+d})")
    click.echo(f"  cost {cost['in_force']} → {cost['tried']} {cost['currency']} ({cost['delta']})")
    click.echo(f"  liability {owed['in_force']} → {owed['tried']} {cost['currency']} ({owed['delta']})")
    tiers = found["tiers"]
    click.echo(f"  tiers: {tiers['upgrades']} up, {tiers['downgrades']} down, {tiers['unchanged']} unchanged")
    for move in tiers["moves"]:
        if move["from"] != move["to"]:
            click.echo(f"    {move['from']} → {move['to']}: {move['members']}")
    for row in found["most_affected"]:
        moved = f"{row['points']['delta']:+d} points, {row['tier']['in_force']} → {row['tier']['tried']}"
        click.echo(f"    {row['code'] or row['customer_id']}: {moved}")
    for line in found["assumed"]:
        click.echo(f"  assumed: {line}")

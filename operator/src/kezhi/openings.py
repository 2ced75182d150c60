"""``kezhi opening-balances``: what members had in another system is taken over, all of it or nothing."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from chassis.errors import Invalid, Refusal
from kezhi.home import Configuration, Home
from kezhi.installation import Installation
from loyalty.openings.use_cases import take_over_balances


def import_balances(
    place: tuple[Home, Configuration], file: Path, source: str, points: int, growth: int | None, dry_run: bool
) -> None:
    """Take over a CSV file that adds up to the source's totals. Importing it twice changes nothing."""
    runtime = Installation(*place).runtime("loyalty")
    try:
        with runtime.context() as context, file.open(encoding="utf-8-sig", newline="") as lines:
            made = take_over_balances(context, f"shell:{getpass.getuser()}", source, lines, points, growth, dry_run)
    except UnicodeDecodeError:
        raise click.ClickException(f"{file}: not UTF-8") from None
    except Invalid as refused:
        faults = [f"  {name}: {'; '.join(said)}" for name, said in refused.errors.items()]
        raise click.ClickException("\n".join([refused.detail, *faults])) from None
    except Refusal as refused:
        raise click.ClickException(refused.detail) from None
    finally:
        runtime.engine.dispose()
    click.echo(f"{made.points} points and {made.growth} growth value of {made.members} members in {made.lines} lines")
    click.echo(f"reconciled with {source} and the ledger; {made.known} lines had been taken over before")
    if dry_run:
        click.echo("a dry run: nothing was kept")

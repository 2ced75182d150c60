"""Policy packs, working calendars, and what members had before."""

from __future__ import annotations

from pathlib import Path

import click

from kezhi.commands.options import configured, home_option, instance_option


@click.group()
def policy() -> None:
    """Policy packs: check one, compare two, try one on the living."""


@policy.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def check_policy(folder: Path) -> None:
    """Say what is wrong in FOLDER, with file, line, column and what to write instead."""
    from kezhi.policy import check  # noqa: PLC0415

    raise SystemExit(check(folder))


@policy.command("vocabulary")
def list_vocabulary() -> None:
    """Say which measures, functions and predicates a pack may use."""
    from kezhi.policy import vocabulary  # noqa: PLC0415

    vocabulary()


@policy.command("diff")
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, exists=True, file_okay=False))
def diff_policies(old: Path, new: Path) -> None:
    """Say in words, clause by clause, what NEW decides otherwise than OLD."""
    from kezhi.policy import diff  # noqa: PLC0415

    raise SystemExit(diff(old, new))


@policy.command("simulate")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@home_option
@instance_option
def simulate_policy(folder: Path, home: Path | None, instance: str) -> None:
    """Try FOLDER on everybody's last twelve months; say who would stand where and what it would cost."""
    from kezhi.simulating import simulate  # noqa: PLC0415

    simulate(configured(home, instance, None, None, None), folder)


@click.group()
def calendar() -> None:
    """Working calendars: import a year that was published."""


@calendar.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@home_option
@instance_option
def import_calendar(file: Path, home: Path | None, instance: str) -> None:
    """Put the public holidays and make-up workdays of FILE (YAML or CSV, one year) in force."""
    from kezhi.calendar import import_calendar as run  # noqa: PLC0415

    run(configured(home, instance, None, None, None), file)


@click.group("opening-balances")
def opening_balances() -> None:
    """What members had in the system before this one."""


@opening_balances.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", required=True, metavar="NAME", help="The system before; its references are its own.")
@click.option("--points", required=True, type=click.IntRange(0), help="The source's own total of points.")
@click.option("--growth", type=click.IntRange(0), help="The source's own total of growth value, if it has one.")
@click.option("--dry-run", is_flag=True, help="Try everything, keep nothing.")
@home_option
@instance_option
def import_balances(
    file: Path, source: str, points: int, growth: int | None, dry_run: bool, home: Path | None, instance: str
) -> None:
    """Take over FILE (CSV: customer, points, growth, earned_on, expires_on, reference), all of it or nothing."""
    from kezhi.openings import import_balances as run  # noqa: PLC0415

    run(configured(home, instance, None, None, None), file, source, points, growth, dry_run)

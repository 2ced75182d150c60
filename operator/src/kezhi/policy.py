"""``kezhi policy``: check a pack, compare two."""

from __future__ import annotations

from pathlib import Path

import click

from chassis.policies import check as checking
from chassis.policies import diff as differing
from kezhi.installation import SERVICES, build_service
from kezhi.packs import library


def _sections() -> list:
    return [service.policy for name in SERVICES if (service := build_service(name)).policy is not None]


def check(folder: Path) -> int:
    """Print every problem; 0 when there is none, else 1."""
    report = checking.check(folder, _sections(), library())
    for problem in report.problems:
        click.echo(str(problem))
    for line in report.notes:
        click.echo(line)
    if report.problems:
        click.echo(f"{len(report.problems)} problem{'s' if len(report.problems) > 1 else ''}; nothing was changed")
        return 1
    click.echo(report.summary)
    return 0


def diff(old: Path, new: Path) -> int:
    """Print the differences in words; 0 when both decide alike, 1 when not, 2 when one cannot be read."""
    for folder in (old, new):
        if check_problems := checking.check(folder, _sections(), library()).problems:
            click.echo(f"{folder} is not a valid pack: {check_problems[0]}")
            return 2
    changes = differing.diff(old, new, _sections(), library())
    for change in changes:
        click.echo(str(change))
    click.echo("both packs decide alike" if not changes else f"{len(changes)} differences")
    return 1 if changes else 0


def vocabulary() -> None:
    """Print every measure, function and predicate that a pack may use."""
    for line in checking.vocabulary():
        click.echo(line)

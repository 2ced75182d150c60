"""``kezhi dead-letters``: what no retry could help, for those who have a shell on the installation's machine."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from chassis.errors import Refusal
from chassis.messaging import dead_letters
from chassis.messaging.dead_letters import DeadLetter
from chassis.runtime import Runtime
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation

Place = tuple[Home, Configuration]
SHOWN = 200


def list_letters(place: Place, service: str | None) -> None:
    """A line per waiting letter, newest first."""
    if service is not None and service not in SERVICES:
        raise click.UsageError(f"--service {service}: there are {', '.join(SERVICES)}")
    table = Table("id", "service", "when", "event", "reason")
    for runtime in _runtimes(Installation(*place), [service] if service else SERVICES):
        newest = dead_letters.listing(status="waiting").order_by(DeadLetter.last_at.desc()).limit(SHOWN)
        with runtime.sessions() as session:
            for letter in session.scalars(newest):
                when = f"{letter.last_at:%Y-%m-%d %H:%M:%S}"
                table.add_row(str(letter.id), runtime.service.name, when, letter.event_id or "-", letter.reason)
    if table.row_count:
        Console().print(table)
    else:
        click.echo("no dead letters")


def show_letter(place: Place, letter_id: str) -> None:
    """Everything known of one letter, and its body as it came."""
    runtime = _owner(Installation(*place), _read_id(letter_id))
    with runtime.sessions() as session:
        letter = dead_letters.find(session, _read_id(letter_id))
        for name in ("queue", "source", "event_id", "type", "publisher", "status", "times", "attempts", "first_at"):
            click.echo(f"{name:12} {getattr(letter, name)}")
        click.echo(f"{'reason':12} {letter.reason}")
        if letter.first_error:
            click.echo(f"{'first error':12} {letter.first_error}")
        click.echo(letter.body.decode("utf-8", "backslashreplace"))


def replay_letters(place: Place, letter_ids: Sequence[str], everything: bool) -> None:
    """Replay the named letters, or all that wait."""
    if bool(letter_ids) == everything:
        raise click.UsageError("name letters, or say --all")
    installation = Installation(*place)
    total = 0
    for runtime, wanted in _grouped(installation, letter_ids, everything):
        with _refusals(), runtime.context() as context:
            total += len(dead_letters.replay(context, wanted, _who()))
    click.echo(f"{total:,} replayed")


def drop_letters(place: Place, letter_ids: Sequence[str], reason: str) -> None:
    """Give the named letters up."""
    for runtime, wanted in _grouped(Installation(*place), letter_ids, False):
        with _refusals(), runtime.context() as context:
            dead_letters.drop(context, wanted, _who(), reason)
    click.echo(f"{len(letter_ids):,} dropped")


@contextmanager
def _refusals() -> Iterator[None]:
    """A refusal of the use case is a line at the terminal."""
    try:
        yield
    except Refusal as refused:
        raise click.ClickException(refused.detail) from None


def _who() -> str:
    return f"shell:{getpass.getuser()}"


def _read_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise click.UsageError(f"{text} is no id of a dead letter; `kezhi dead-letters list` shows them") from None


def _runtimes(installation: Installation, services: Sequence[str]) -> Iterator[Runtime]:
    for service in services:
        runtime = installation.runtime(service)
        yield runtime
        runtime.engine.dispose()


def _owner(installation: Installation, letter_id: uuid.UUID) -> Runtime:
    for runtime in _runtimes(installation, SERVICES):
        with runtime.sessions() as session:
            if session.get(DeadLetter, letter_id):
                return runtime
    raise click.ClickException(f"there is no dead letter {letter_id}")


def _grouped(
    installation: Installation, letter_ids: Sequence[str], everything: bool
) -> Iterator[tuple[Runtime, list[uuid.UUID]]]:
    wanted = {_read_id(text) for text in letter_ids}
    missing = set(wanted)
    for runtime in _runtimes(installation, SERVICES):
        chosen = DeadLetter.status == "waiting" if everything else DeadLetter.id.in_(wanted)
        with runtime.sessions() as session:
            found = list(session.scalars(select(DeadLetter.id).where(chosen)))
        missing -= set(found)
        if found:
            yield runtime, found
    if missing:
        raise click.ClickException(f"there is no dead letter {', '.join(map(str, missing))}")

"""``python -m kezhi_contracts``: check events from a shell, without a broker."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kezhi_contracts import schemas, validation


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 when all is right, 1 when an event is wrong, 2 when nothing was read."""
    parser = argparse.ArgumentParser(prog="python -m kezhi_contracts", description="Kezhi's published events")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("validate", help="check events: one, a list, or one per line")
    check.add_argument("file", help="a file, or - for standard input")
    commands.add_parser("types", help="list every event type")
    show = commands.add_parser("example", help="print a valid event")
    show.add_argument("type", choices=schemas.types(), metavar="TYPE")
    chosen = parser.parse_args(arguments)
    if chosen.command == "types":
        print("\n".join(schemas.types()))
        return 0
    if chosen.command == "example":
        print(json.dumps(schemas.example(chosen.type), ensure_ascii=False, indent=2))
        return 0
    return _validate(chosen.file)


def _validate(file: str) -> int:
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        events = list(_events(body))
    except (OSError, validation.Unreadable) as wrong:
        print(f"{file}: {wrong}", file=sys.stderr)
        return 2
    wrong_ones = 0
    for number, event in enumerate(events, 1):
        errors = validation.validate(event)
        wrong_ones += bool(errors)
        for path, messages in errors.items():
            print(f"{number}: {path or 'event'}: {'; '.join(messages)}")
    print(f"{len(events)} read, {len(events) - wrong_ones} right, {wrong_ones} wrong")
    return 1 if wrong_ones else 0


def _events(body: bytes) -> Iterator[Any]:
    """One event, a list of events, or one event per line."""
    try:
        document = validation.parse(body)
    except validation.Unreadable:
        lines = [one for one in body.splitlines() if one.strip()]
        if len(lines) < 2 or not lines[0].strip().endswith(b"}"):
            raise
        yield from map(validation.parse, lines)
        return
    yield from document if isinstance(document, list) else [document]


if __name__ == "__main__":
    sys.exit(main())

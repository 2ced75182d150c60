"""``python -m gateway keys rotate``: a new signing key from the command line, also in haste."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from chassis.runtime import start_runtime
from chassis.settings import Settings
from gateway.signin.keys import rotate


def keys(arguments: Sequence[str]) -> None:
    """Parse and do it; prints the new key's id."""
    from gateway.bootstrap import build_service  # noqa: PLC0415 - the bootstrap wires this package

    parser = argparse.ArgumentParser(prog="python -m gateway keys")
    rotation = parser.add_subparsers(dest="verb", required=True).add_parser("rotate", help="publish a new signing key")
    rotation.add_argument("--at-once", action="store_true", help="the old key leaked: withdraw it now")
    parsed = parser.parse_args(arguments)
    runtime = start_runtime(build_service(), Settings.from_environment("gateway"))
    with runtime.context() as context:
        print(rotate(context.session, context.clock, at_once=parsed.at_once))

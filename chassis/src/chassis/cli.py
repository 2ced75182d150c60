"""The three verbs of every service, and ``openapi``: ``python -m <service> serve | work | migrate | openapi``.

A mistake in the configuration is one clear line and exit status 2, never a traceback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from chassis.service import Service
from chassis.settings import Settings
from chassis.storage.migrations import migrate


def main(build_service: Callable[[], Service], arguments: Sequence[str] | None = None) -> None:
    """Parse the verb and do it."""
    service = build_service()
    parser = argparse.ArgumentParser(prog=f"python -m {service.name}", description=service.title)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("migrate")
    parsed = parser.parse_args(arguments)
    settings = Settings.from_environment(service.name)
    if parsed.verb == "migrate":
        migrate(service, settings.database_url)
        sys.exit(0)

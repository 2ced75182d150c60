"""The saved texts are looked over at every start: a release may have taken from an event what a text names."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import DBAPIError

from chassis.runtime import Runtime
from notify.templates.use_cases import outdated

_log = structlog.get_logger(__name__)
_PATIENCE = 5.0  # seconds until a database that is away is asked again


def look_over(runtime: Runtime, stop: threading.Event) -> None:
    """The worker's thread ``templates``: tell once what no longer fits; until it is mended, it says nothing there."""
    while not stop.is_set():
        try:
            with runtime.sessions() as session:
                for template, findings in outdated(session).items():
                    _log.warning("template_does_not_fit", template=template, findings=findings)
            stop.wait()
        except DBAPIError as away:
            _log.warning("templates wait for the database", error=str(away.orig))
            stop.wait(_PATIENCE)

"""All texts are looked over at every start.

A bundled one that does not fit its event stops the start: the release is wrong. A saved one is told: this release may
have taken from an event what the text names.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import DBAPIError

from chassis.runtime import Runtime
from chassis.web.application import Application
from notify.templates.checking import check_bundled
from notify.templates.use_cases import outdated

_log = structlog.get_logger(__name__)
_PATIENCE = 5.0  # seconds until a database that is away is asked again


def check_texts(app: Application, runtime: Runtime) -> None:
    """At the start of every HTTP process. Raises ValueError."""
    check_bundled()


def look_over(runtime: Runtime, stop: threading.Event) -> None:
    """The worker's thread ``templates``: tell once what no longer fits; until it is mended, it says nothing there."""
    check_bundled()
    while not stop.is_set():
        try:
            with runtime.sessions() as session:
                for template, findings in outdated(session).items():
                    _log.warning("template_does_not_fit", template=template, findings=findings)
            stop.wait()
        except DBAPIError as away:
            _log.warning("templates wait for the database", error=str(away.orig))
            stop.wait(_PATIENCE)

"""Logs: one JSON object a line on stderr, with request and trace ids; secrets are struck out before."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from flask import g, has_app_context

from chassis import telemetry

if TYPE_CHECKING:
    from flask import Request

    from chassis.web.work import Desk

_SECRET_NAME = re.compile(
    r"pass(word|wd)?|secret|token|authorization|cookie|api_?key|field_keys|private", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"(?P<scheme>Bearer\s+)[\w.~+/=-]+"  # an authorization header
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|kz_[\w-]{8,}"  # an API key
    r"|(?P<url>\w+://[^:/@\s]*:)[^@\s]+(?=@)"  # a password in a connection URL
)
_STRUCK = "***"
_SLOW = 1.0

_log = structlog.get_logger("chassis.requests")


def configure(service: str, level: str) -> None:
    """Set up structlog and route the standard library's records through it. Calling it again changes nothing else."""
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Origin(service),
        strike_secrets,
    ]
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[*chain, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *chain],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "of_kezhi", False)]:
        root.removeHandler(old)
    handler.of_kezhi = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(max(number, logging.WARNING) if number > logging.DEBUG else number)


def request_done(request: Request, status: int, elapsed: float, desk: Desk) -> None:
    """One line per write, per failure and per slow read; the plain reads are counted by the metrics alone."""
    if status < 500 and elapsed < _SLOW and (request.method in ("GET", "HEAD", "OPTIONS") or status >= 400):
        return
    principal = desk.principal
    _log.info(
        "request",
        method=request.method,
        path=shown_path(request),
        status=status,
        ms=round(elapsed * 1000, 1),
        principal=principal.id if principal else None,
    )


def shown_path(request: Request) -> str:
    """The path as logs and audit keep it: what a route calls ``token`` is a personal link, and a link is a secret."""
    token = (request.view_args or {}).get("token")
    return request.path.replace(str(token), _STRUCK) if token else request.path


def strike_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: no value under a secret's name, nothing that looks like one, is ever written."""
    for name, value in event.items():
        event[name] = _STRUCK if _SECRET_NAME.search(name) and value is not None else _struck(value)
    return event


def _struck(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda found: (found["scheme"] or found["url"] or "") + _STRUCK, value)
    if isinstance(value, dict):
        return {
            name: _STRUCK if isinstance(name, str) and _SECRET_NAME.search(name) else _struck(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [_struck(member) for member in value]
    return value


def _dumps(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


class _Origin:
    """Which service, and which request, a line comes from."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = self.name
        desk = g.get("desk") if has_app_context() else None
        if desk is not None:
            event.setdefault("request_id", desk.request_id)
        trace = telemetry.current_traceparent()
        if trace is not None:
            event.setdefault("trace", trace)
        return event

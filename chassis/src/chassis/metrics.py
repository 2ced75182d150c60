"""What the process counts, in Prometheus's text format; gunicorn workers that share a directory are summed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest

if TYPE_CHECKING:
    from flask import Request

REQUESTS = Counter("kezhi_http_requests_total", "Requests answered", ["method", "endpoint", "status"])
SECONDS = Histogram(
    "kezhi_http_request_seconds",
    "Time to answer",
    ["endpoint"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def observe_request(request: Request, status: int, seconds: float) -> None:
    """Count one answer under its endpoint (never its path: ids would make a series each)."""
    key = (request.method, request.endpoint or "none", status)
    found = _children.get(key)
    if found is None:
        method = key[0] if key[0] in _METHODS else "other"  # a made-up method must not make a series
        found = REQUESTS.labels(method, key[1], str(status)), SECONDS.labels(key[1])
        if method == key[0]:
            _children[key] = found
    found[0].inc()
    found[1].observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def exposition() -> tuple[bytes, str]:
    """The body and content type of ``/metrics``."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - demands the directory at import

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST

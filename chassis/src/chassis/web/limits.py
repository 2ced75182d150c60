"""Rate limits per caller and per address, in memory or shared through Redis; off for loopback in evaluation mode."""

from __future__ import annotations

import time
from math import ceil

from flask import Flask, g, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded

from chassis.settings import Settings
from chassis.web.principal import Principal
from chassis.web.problems import TooMany

PER_CALLER = "1200 per minute"
PER_ADDRESS = "6000 per minute"
PER_STRANGER = "120 per minute"  # an address whose caller hasn't proved who they are: guessing tokens and passwords
_LOOPBACK = ("127.", "::1")


class Limits:
    """Checked once per request, after the caller is known (or failed to be)."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.spares_loopback = settings.mode == "evaluation"
        self.limiter = Limiter(
            key_func=_address,
            app=app,
            application_limits=[
                ApplicationLimit(PER_ADDRESS, key_function=_address),
                ApplicationLimit(PER_CALLER, key_function=_caller, exempt_when=_is_stranger),
                ApplicationLimit(PER_STRANGER, key_function=_stranger, exempt_when=_is_caller),
            ],
            auto_check=False,
            storage_uri=settings.redis_url or "memory://",
            key_prefix=f"kezhi:{settings.instance}:{settings.service}",
            in_memory_fallback_enabled=bool(settings.redis_url),
        )

    def check(self, principal: Principal | None) -> None:
        """Raises TooMany with the seconds until the window opens again."""
        if self.spares_loopback and (request.remote_addr or "").startswith(_LOOPBACK):
            return
        g.limited = principal if principal is not None and principal.kind != "public" else None
        try:
            self.limiter.check()
        except RateLimitExceeded:
            current = self.limiter.current_limit
            # Not the injected clock: the limiter counts windows of the machine's time.
            wait = ceil(current.reset_at - time.time()) if current else 60
            raise TooMany("too many requests: wait before the next one", max(1, wait)) from None


def _address() -> str:
    return f"address:{request.remote_addr}"


def _caller() -> str:
    return f"caller:{g.limited.kind}:{g.limited.id}"


def _stranger() -> str:
    return f"stranger:{request.remote_addr}"


def _is_stranger() -> bool:
    return g.limited is None


def _is_caller() -> bool:
    return g.limited is not None

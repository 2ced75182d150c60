"""Rate limits per caller and per address, in memory or shared through Redis; off for loopback in evaluation mode.

Flask-Limiter counts in a hook before the caller is known, around every view; this stands on its engine (``limits``)
and counts where the caller has just been proven, or has just failed to be.
"""

from __future__ import annotations

import time
from ipaddress import ip_address, ip_network
from math import ceil

from flask import request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from chassis.settings import Settings
from chassis.web.principal import Principal
from chassis.web.problems import TooMany

PER_CALLER = "1200 per minute"
PER_ADDRESS = "6000 per minute"
PER_STRANGER = "120 per minute"  # an address whose caller hasn't proved who they are: guessing tokens and passwords
_LOOPBACK = ("127.", "::1")


class Limits:
    """Asked once per request."""

    def __init__(
        self,
        settings: Settings,
        per_caller: str = PER_CALLER,
        per_address: str = PER_ADDRESS,
        per_stranger: str = PER_STRANGER,
    ) -> None:
        self.spares_loopback = settings.mode == "evaluation"
        self.proxies = [ip_network(network) for network in settings.trusted_proxies]
        self.scope = f"kezhi:{settings.instance}:{settings.service}"
        self.caller, self.address, self.stranger = parse(per_caller), parse(per_address), parse(per_stranger)
        self.local = FixedWindowRateLimiter(MemoryStorage())
        shared = storage_from_string(settings.redis_url, wrap_exceptions=True) if settings.redis_url else None
        self.counter = FixedWindowRateLimiter(shared) if shared is not None else self.local

    def check(self, principal: Principal | None) -> None:
        """Count this request. Raises TooMany with the seconds until the window opens again.

        A service that calls another on its own behalf isn't counted: it speaks for many, whom it counts itself.
        """
        if principal is not None and principal.kind == "system":
            return
        address = self.own_address()
        if self.spares_loopback and address.startswith(_LOOPBACK):
            return
        self._hit(self.address, "address", address)
        if principal is None or principal.kind == "public":
            self._hit(self.stranger, "stranger", address)
        else:
            self._hit(self.caller, principal.kind, principal.id)

    def spend(self, limit: str, purpose: str) -> None:
        """Count one more ``purpose`` of the caller's address against a limit of its own (``"10 per hour"``).

        For what is dearer than a request: a code that is sent, a complaint that is taken. Raises TooMany.
        """
        address = self.own_address()
        if not (self.spares_loopback and address.startswith(_LOOPBACK)):
            self._hit(parse(limit), purpose, address)

    def own_address(self) -> str:
        """The address that the request at hand comes from."""
        return self.address_of(request.remote_addr or "", request.headers.get("X-Forwarded-For"))

    def address_of(self, remote: str, forwarded: str | None) -> str:
        """The nearest address that is no proxy of ours: what callers write themselves stands left of it, unread."""
        hops = [hop.strip() for hop in forwarded.split(",")] if forwarded else []
        address = remote
        while hops and self._trusts(address):
            address = hops.pop()
        return address

    def _trusts(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self.proxies)
        except ValueError:
            return False

    def _hit(self, item: RateLimitItem, *who: str) -> None:
        counter = self.counter
        try:
            passed = counter.hit(item, self.scope, *who)
        except StorageError:
            # A Redis that is away must not stop the service: each process counts for itself meanwhile.
            counter = self.local
            passed = counter.hit(item, self.scope, *who)
        if not passed:
            # The machine's time on purpose: the counter's windows are not moved by the injected clock.
            wait = ceil(counter.get_window_stats(item, self.scope, *who).reset_time - time.time())
            raise TooMany("too many requests: wait before the next one", max(1, wait))

"""Who acts in the demo, each under their own name through the gateway, on the demo's clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import httpx

from kezhi.api import Api, Machine, describe

NIGHT = timedelta(hours=12)
PATIENCE = 300.0  # seconds that anything may take, however slow the machine


class People:
    """Signed-in staff by username; after a leap of the clock everybody signs in again when next needed.

    ``machine``: what imports files and looks whether something has happened, for which nobody need sign in.
    """

    machine: Machine

    def __init__(self, base: str, password: str) -> None:
        self._base, self._password = base, password
        self._known: dict[str, Api] = {}
        self._public = httpx.Client(base_url=base, timeout=60.0, trust_env=False)

    def __call__(self, username: str) -> Api:
        if username not in self._known:
            self._known[username] = Api(self._base, username, self._password)
        return self._known[username]

    @contextmanager
    def machine_at_work(self, sources: Iterable[str]) -> Iterator[None]:
        """While this lasts ``machine`` may load and look at everything of these sources; its key ends with it."""
        asked = {"name": "tills", "roles": ["administrator"], "sources": list(sources)}
        issued = self("admin").post("/api-keys", asked)
        self.machine = Machine(self._base, issued["key"])
        yield
        self("admin").request("DELETE", f"/api-keys/{issued['id']}")

    def stranger(self, method: str, path: str, body: Any = None) -> Any:
        """A request of somebody who has no account."""
        answer = self._public.request(method, f"/api/v1{path}", json=body)
        if not answer.is_success:
            raise click.ClickException(f"{method} {path}: {describe(answer)}")
        return answer.json()

    def awake(self, slept: timedelta) -> None:
        """Tokens of before the leap have run out; after a night everybody signs in anew."""
        for api in self._known.values():
            api.forget(signed_out=slept > NIGHT)


class Clock:
    """The clock of all processes: a file with an offset that the demo moves towards now (decision 20)."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """What all processes take for now."""
        return datetime.now(UTC) + self._ahead

    def travel_to(self, at: datetime) -> None:
        """Have it be ``at`` everywhere; never earlier than it was."""
        self._ahead = at - datetime.now(UTC)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(self._ahead.total_seconds()))
        fresh.replace(self.file)

    def come_home(self) -> None:
        """From now on it is now."""
        self._ahead = timedelta(0)
        self.file.unlink(missing_ok=True)


def eventually(what: str, ask: Callable[[], Any], every: float = 0.1) -> Any:
    """The first true answer. Raises ClickException naming what was waited for."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if found := ask():
            return found
        if time.monotonic() > deadline:
            raise click.ClickException(f"{what}: not within {PATIENCE:.0f} s; see the log")
        time.sleep(every)


def await_job(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    """Poll a job of the customer service to its end. Raises ClickException when it failed."""

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = api.get(f"/services/customer/jobs/{job['id']}")
        return found if found["status"] in ("done", "failed") else None

    found: dict[str, Any] = eventually(f"job {job['id']}", ended, every=0.05)
    if found["status"] == "failed":
        raise click.ClickException(f"job {job['id']} failed: {found['error']}; see the log")
    return found


def all_of(api: Api, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Every item of a list, page by page."""
    while True:
        page = api.get(path, limit=200, **query)
        yield from page["items"]
        if page["next"] is None:
            return
        query["cursor"] = page["next"]

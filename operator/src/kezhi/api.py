"""A signed-in client of the gateway, for commands that work through the public interface like everybody else."""

from __future__ import annotations

import time
from typing import Any

import click
import httpx


class Refused(click.ClickException):
    """An answer that is not 2xx, in one line."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests below ``/api/v1`` as one member of staff; signs in again when the token has run out."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self.base = base
        self._http = httpx.Client(base_url=f"{base}/api/v1", timeout=60.0, trust_env=False)
        self._credentials = {"username": username, "password": password}
        self._token = ""
        self._until = 0.0

    def get(self, path: str, **query: Any) -> Any:
        """The parsed answer. Raises ClickException with the problem's own words."""
        return self.request("GET", path, params=query)

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        """The parsed answer of a creation; ``key`` becomes the Idempotency-Key."""
        return self.request("POST", path, json=body, headers={"Idempotency-Key": key} if key else {})

    def patch(self, path: str, changes: Any) -> Any:
        """Change a resource as it is now: its ETag is read first."""
        return self.request("PATCH", path, json=changes, headers={"If-Match": self._etag(path)})

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **content: Any) -> Any:
        """One request; 2xx or an exception."""
        answer = self._ask(method, path, headers, **content)
        return answer.json() if answer.content else None

    def _etag(self, path: str) -> str:
        return str(self._ask("GET", path, None).headers["ETag"])

    def _ask(self, method: str, path: str, headers: dict[str, str] | None, **content: Any) -> httpx.Response:
        authorised = {"Authorization": f"Bearer {self.bearer()}"} | (headers or {})
        answer = self._http.request(method, path, headers=authorised, **content)
        if not answer.is_success:
            raise Refused(f"{method} {path}: {describe(answer)}", answer.status_code)
        return answer

    def bearer(self) -> str:
        """The access token of now."""
        if time.monotonic() > self._until:
            answer = self._http.post("/auth/token", json=self._credentials)
            if not answer.is_success:
                raise click.ClickException(f"signing in as {self._credentials['username']}: {describe(answer)}")
            granted = answer.json()
            self._token = granted["access_token"]
            self._until = time.monotonic() + granted["expires_in"] - 30
        return self._token


def describe(answer: httpx.Response) -> str:
    """A problem in one line."""
    try:
        problem = answer.json()
        errors = f" {problem['errors']}" if problem.get("errors") else ""
        return f"{problem['status']} {problem.get('title', '')}: {problem.get('detail', '')}{errors}"
    except (ValueError, KeyError):
        return f"{answer.status_code} {answer.text[:200]}"

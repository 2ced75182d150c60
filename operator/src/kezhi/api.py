"""A signed-in client of the gateway, for commands that work through the public interface like everybody else."""

from __future__ import annotations

import ssl
import threading
import time
from functools import cache
from typing import Any

import click
import httpx


@cache
def _trusted() -> ssl.SSLContext:
    """Read once, not for each of thirty people: the certificates of all authorities are a lot to parse."""
    return httpx.create_ssl_context(trust_env=False)


class Refused(click.ClickException):
    """An answer that is not 2xx, in one line."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Requests below ``/api/v1`` as one member of staff; stays signed in, and signs in again where that is refused."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self.base = base
        self._http = httpx.Client(base_url=f"{base}/api/v1", timeout=60.0, trust_env=False, verify=_trusted())
        self._credentials = {"username": username, "password": password}
        self._token = self._refresh = ""
        self._until = 0.0
        self._one_at_a_time = threading.Lock()  # a refresh token that is used twice ends the whole sign-in

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

    def forget(self, signed_out: bool = False) -> None:
        """Ask for a new token at the next request: the installation's clock leapt, and this one has run out.

        ``signed_out``: it leapt so far that the refresh token has run out too.
        """
        self._until = 0.0
        if signed_out:
            self._refresh = ""

    def bearer(self) -> str:
        """The access token of now."""
        with self._one_at_a_time:
            if time.monotonic() > self._until:
                granted = self._stay() or self._sign_in()
                self._token, self._refresh = granted["access_token"], granted["refresh_token"]
                self._until = time.monotonic() + granted["expires_in"] - 30
            return self._token

    def _stay(self) -> dict[str, Any] | None:
        """Tokens for the refresh token, which spares the gateway the hash of a password; None: refused."""
        if not self._refresh:
            return None
        answer = self._http.post("/auth/refresh", json={"refresh_token": self._refresh})
        return dict(answer.json()) if answer.is_success else None

    def _sign_in(self) -> dict[str, Any]:
        answer = self._http.post("/auth/token", json=self._credentials)
        if not answer.is_success:
            raise click.ClickException(f"signing in as {self._credentials['username']}: {describe(answer)}")
        return dict(answer.json())


class Machine(Api):
    """The same by an API key: it need not sign in, and no leap of the clock ends it."""

    def __init__(self, base: str, key: str) -> None:
        super().__init__(base, "", "")
        self._key = key

    def bearer(self) -> str:
        """The key itself: the gateway exchanges it."""
        return self._key


def describe(answer: httpx.Response) -> str:
    """A problem in one line."""
    try:
        problem = answer.json()
        errors = f" {problem['errors']}" if problem.get("errors") else ""
        return f"{problem['status']} {problem.get('title', '')}: {problem.get('detail', '')}{errors}"
    except (ValueError, KeyError):
        return f"{answer.status_code} {answer.text[:200]}"

"""What a use case may refuse, in words the edges translate: problem+json over HTTP, a dead letter over AMQP.

Domain and use-case modules raise these; they know nothing of Flask or kombu.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request that is understood and not granted. ``detail`` says what to do; ``members`` go into the problem."""

    status = 409
    title = "Not possible now"

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class NotFound(Refusal):
    """No such thing, or none that the caller may know of."""

    status = 404
    title = "Not found"


class Conflict(Refusal):
    """The present state forbids it; give the state in ``members``."""

    status = 409
    title = "Conflict with the current state"


class Invalid(Refusal):
    """The content is wrong. ``errors`` maps a path (``lines.0.quantity``) to messages."""

    status = 422
    title = "Invalid content"

    def __init__(self, detail: str, errors: dict[str, list[str]] | None = None, **members: Any) -> None:
        super().__init__(detail, **members)
        self.errors = errors or {}


class Forbidden(Refusal):
    """The caller may not do this; the answer reveals nothing of the thing itself."""

    status = 403
    title = "Forbidden"


class Unavailable(Refusal):
    """Something this service stands on is away; the caller may come back."""

    status = 503
    title = "Temporarily unavailable"

"""What a view asks of its caller. A view that doesn't say stops the start: nothing is open by forgetting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """The terms on which one endpoint is served."""

    permission: str | None = None  # None: any signed-in caller
    public: bool = False  # nobody has to sign in
    idempotency: Literal["optional", "required"] = "optional"
    keeps_key: bool = False  # the key never expires (it moves points)
    secret: bool = False  # the answer holds a secret and is never stored
    if_match: bool = False  # the caller must name the version it changes
    audit: bool = True  # a POST that only asks (a quote, a preview) leaves no row
    body_limit: int | None = None  # bytes, where the common limit is too small
    body_types: tuple[str, ...] = ("application/json",)


def requires(
    permission: str | None = None,
    public: bool = False,
    *,
    idempotency: Literal["optional", "required"] = "optional",
    keeps_key: bool | None = None,
    secret: bool = False,
    if_match: bool = False,
    audit: bool = True,
    body_limit: int | None = None,
    body_types: tuple[str, ...] = ("application/json",),
) -> Callable[[View], View]:
    """Decorate a view, right below the route. ``requires()`` admits whoever is signed in.

    ``idempotency="required"``: the POST is refused without a key, and its key never expires unless ``keeps_key=False``.
    """
    if permission is not None and public:
        raise ValueError("a public view can't ask for a permission")
    if keeps_key is None:
        keeps_key = idempotency == "required"
    access = Access(permission, public, idempotency, keeps_key, secret, if_match, audit, body_limit, body_types)

    def mark(view: View) -> View:
        view._access = access  # type: ignore[attr-defined]
        return view

    return mark

"""How an SMS provider wants to be asked, told in YAML: a request with places for number and text, and how to read the
answer. Pure.

    url: https://sms.example.com/v1/messages
    headers: {Authorization: "Bearer ${SMS_TOKEN}"}          # from the environment (or SMS_TOKEN_FILE)
    json: {to: "{phone}", content: "{text}", id: "{id}"}     # or form: {…}; {digits} is the number without its plus
    accepted: {code: [0]}                                    # without it every 2xx is a yes
    temporary: {code: [5001, 5002]}
    reference: data.message_id
    idempotent: true                                         # the provider drops a second request with the same {id}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import yaml

from notify.channels.domain import Outcome, Outgoing

_PLACE = re.compile(r"\{(phone|digits|text|id)\}")
_SECRET = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_KEYS = {"url", "method", "headers", "json", "form", "accepted", "temporary", "reference", "idempotent"}


class WrongAdapter(ValueError):
    """The file can't be used, and why."""


@dataclass(frozen=True)
class SmsAdapter:
    """One provider's dialect."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    accepted: Mapping[str, Any] = field(default_factory=dict)  # path in the answer → values that are a yes
    temporary: Mapping[str, Any] = field(default_factory=dict)
    reference: str | None = None
    idempotent: bool = False

    def request(self, outgoing: Outgoing) -> tuple[dict[str, str], bytes]:
        """Headers and body. Whatever stands in the text is a value there and never a part of the request's form."""
        values = {
            "phone": outgoing.address,
            "digits": outgoing.address.lstrip("+"),
            "text": outgoing.rendered.text,
            "id": outgoing.idempotency_key,
        }
        if self.form is not None:
            kind, body = "application/x-www-form-urlencoded", urlencode(_filled(self.form, values)).encode()
        else:
            kind, body = "application/json", orjson.dumps(_filled(self.json, values))
        return {"Content-Type": kind, **self.headers}, body

    def verdict(self, body: bytes) -> Outcome:
        """What a 2xx answer says."""
        try:
            said = orjson.loads(body)
        except orjson.JSONDecodeError:
            said = None
            if self.accepted:
                reason = "the provider's answer can't be read"
                return Outcome("temporary", reason=reason, uncertain=True, our_fault=True)
        reference = None if self.reference is None else _at(said, self.reference)
        if _matches(said, self.accepted, all):
            return Outcome("sent", reference=None if reference is None else str(reference)[:200])
        shown = ", ".join(f"{path} {_at(said, path)!s:.80}" for path in self.accepted)
        kind = "temporary" if self.temporary and _matches(said, self.temporary, any) else "permanent"
        return Outcome(kind, reason=f"the provider answered {shown}")  # type: ignore[arg-type]


def dialable(number: str) -> bool:
    """Whether it is a number in international form, +8613800008801."""
    return bool(_NUMBER.fullmatch(number))


def load(path: Path, environment: Mapping[str, str]) -> SmsAdapter:
    """Read an adapter; its secrets come from the environment. Raises WrongAdapter."""
    document = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("url"), str):
        raise WrongAdapter(f"{path}: needs a url")
    if unknown := set(document) - _KEYS:
        raise WrongAdapter(f"{path}: does not know {', '.join(sorted(map(str, unknown)))}")
    if ("json" in document) == ("form" in document):
        raise WrongAdapter(f"{path}: needs json or form, one of them")
    return SmsAdapter(**_with_secrets(document, environment, path))


def _with_secrets(node: Any, environment: Mapping[str, str], path: Path) -> Any:
    if isinstance(node, dict):
        return {name: _with_secrets(value, environment, path) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_secrets(value, environment, path) for value in node]
    return _SECRET.sub(lambda found: _secret(found[1], environment, path), node) if isinstance(node, str) else node


def _secret(name: str, environment: Mapping[str, str], path: Path) -> str:
    if name in environment:
        return environment[name]
    if (file := environment.get(f"{name}_FILE")) is not None:
        return Path(file).read_text("utf-8").strip()
    raise WrongAdapter(f"{path}: {name} is not in the environment")


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: _filled(value, values) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    return _PLACE.sub(lambda found: values[found[1]], node) if isinstance(node, str) else node


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _matches(document: Any, wanted: Mapping[str, Any], how: Any) -> bool:
    return bool(
        how(
            _at(document, path) in (values if isinstance(values, list) else [values]) for path, values in wanted.items()
        )
    )

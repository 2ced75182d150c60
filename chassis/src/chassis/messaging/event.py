"""CloudEvents 1.0 in structured mode: one JSON body carries the whole event (contract.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

CONTENT_TYPE = "application/cloudevents+json"


class Malformed(Exception):
    """A body that is no event: unreadable, or without the attributes that identify it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``(source, id)`` identifies it for ever; ``time`` is aware."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    partitionkey: str | None = None
    sequence: str | None = None
    policyversion: str | None = None
    traceparent: str | None = None

    def to_json(self) -> bytes:
        """The body as it goes over the wire; absent extensions are left out."""
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "dataschema": f"/events/{self.type}.json",
        }
        for name in ("partitionkey", "sequence", "policyversion", "traceparent"):
            value = getattr(self, name)
            if value is not None:
                body[name] = value
        body["data"] = self.data
        return orjson.dumps(body, default=str)

    @classmethod
    def from_document(cls, document: Any) -> Event:
        """Read a parsed body. Raises Malformed naming the first attribute that is missing or wrong."""
        if not isinstance(document, dict):
            raise Malformed("the body is not a JSON object")
        if document.get("specversion") != "1.0":
            raise Malformed('specversion must be "1.0"')
        for name in ("id", "source", "type", "subject", "time"):
            value = document.get(name)
            if not isinstance(value, str) or not value or len(value) > 512 or "\x00" in value:
                raise Malformed(f"attribute {name} must be a text of 1 to 512 characters")
        for name in ("partitionkey", "sequence", "policyversion", "traceparent"):
            value = document.get(name)
            if value is not None and (not isinstance(value, str) or len(value) > 512 or "\x00" in value):
                raise Malformed(f"extension {name} must be a text of at most 512 characters")
        try:
            time = datetime.fromisoformat(document["time"])
        except ValueError as wrong:
            raise Malformed(f"time is no RFC 3339 instant: {wrong}") from None
        if time.tzinfo is None:
            raise Malformed("time needs an offset, e.g. 2026-11-21T09:30:00+08:00")
        data = document.get("data")
        if not isinstance(data, dict):
            raise Malformed("data must be a JSON object")
        return cls(
            id=document["id"],
            source=document["source"],
            type=document["type"],
            subject=document["subject"],
            time=time,
            data=data,
            partitionkey=document.get("partitionkey"),
            sequence=document.get("sequence"),
            policyversion=document.get("policyversion"),
            traceparent=document.get("traceparent"),
        )

    @classmethod
    def from_json(cls, body: bytes) -> Event:
        """Read a body. Raises Malformed."""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as wrong:
            raise Malformed(f"the body is not JSON: {wrong}") from None
        return cls.from_document(document)

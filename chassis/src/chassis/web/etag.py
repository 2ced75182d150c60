"""Optimistic locking over HTTP: the version a client read is the version it may change."""

from __future__ import annotations

import re

from flask import request

from chassis.web.problems import PreconditionFailed, PreconditionMissing, Unreadable
from chassis.web.work import desk

_TAG = re.compile(r'^(W/)?"([0-9]{1,19})"$')


def tag(version: int) -> None:
    """Send this version as the answer's ETag."""
    desk().etag = f'"{version}"'


def require_match(version: int) -> None:
    """Refuse unless ``If-Match`` names the present version: 428 without it, 412 when it names another one."""
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionMissing("send If-Match with the ETag that you read")
    tags = [part.strip() for part in given.split(",")]
    if tags == ["*"]:
        return
    matches = [_TAG.match(part) for part in tags]
    if not all(matches):
        raise Unreadable("If-Match must hold ETags as they were sent")
    if version not in [int(match[2]) for match in matches if match]:
        raise PreconditionFailed("it was changed since you read it: read it again", version=version)

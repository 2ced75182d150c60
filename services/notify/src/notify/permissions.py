"""Permission → the roles that hold it. The administrator holds all (decision 14)."""

from __future__ import annotations

from collections.abc import Mapping

PERMISSIONS: Mapping[str, frozenset[str]] = {}

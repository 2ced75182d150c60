"""The gateway's own migration line."""

from __future__ import annotations

import gateway.api_keys.tables
import gateway.codes.tables
import gateway.console.tables
import gateway.people.tables
import gateway.signin.tables  # noqa: F401 - imported so that the metadata is whole
from chassis.storage.migrations import run_env
from gateway.base import Base

run_env(Base.metadata)

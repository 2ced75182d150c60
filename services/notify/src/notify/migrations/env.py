"""The notify service's own migration line."""

from __future__ import annotations

from chassis.storage.migrations import run_env
from notify.base import Base

run_env(Base.metadata)

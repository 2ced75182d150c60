"""The notify service's own migration line."""

from __future__ import annotations

import notify.inbox.tables
import notify.messages.tables
import notify.recipients.tables
import notify.routes.tables  # noqa: F401 - imported so that the metadata is whole
from chassis.storage.migrations import run_env
from notify.base import Base

run_env(Base.metadata)

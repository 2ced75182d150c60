"""The chassis's line: revisions of schema ``chassis``, the same in every service's database."""

from __future__ import annotations

from chassis.storage.migrations import run_env
from chassis.storage.schema import ChassisBase

run_env(ChassisBase.metadata, schema="chassis")

from __future__ import annotations

from sqlalchemy import MetaData

from chassis.storage.migrations import run_env

run_env(MetaData())

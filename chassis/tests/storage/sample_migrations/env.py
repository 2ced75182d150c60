"""The line of the sample service that the storage tests migrate."""

from __future__ import annotations

from chassis.storage.migrations import run_env
from sqlalchemy import MetaData

run_env(MetaData())

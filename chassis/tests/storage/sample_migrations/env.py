"""The line of the sample service that the storage tests migrate."""

from __future__ import annotations

from sqlalchemy import MetaData

from chassis.storage.migrations import run_env

run_env(MetaData())

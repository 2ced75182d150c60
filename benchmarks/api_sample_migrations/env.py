"""The migration line of the smallest service."""

from sqlalchemy import MetaData

from chassis.storage.migrations import run_env

run_env(MetaData())

"""The sample service's migration line."""

from sqlalchemy import MetaData

from chassis.storage.migrations import run_env

run_env(MetaData())

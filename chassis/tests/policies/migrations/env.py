"""The sample service's migration line."""

from chassis.storage.migrations import run_env
from sqlalchemy import MetaData

run_env(MetaData())

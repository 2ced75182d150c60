"""The HTTP edge: what services need of it stands here."""

from chassis.web import etag, fields
from chassis.web.access import requires
from chassis.web.application import answer
from chassis.web.blueprint import Blueprint
from chassis.web.pages import Page
from chassis.web.principal import Principal
from chassis.web.schema import PageArgs, QuerySchema, Schema
from chassis.web.work import Work, glance, glimpse, work

__all__ = [
    "Blueprint", "Page", "PageArgs", "Principal", "QuerySchema", "Schema", "Work", "answer", "etag", "fields", "glance",
    "glimpse", "requires", "work",
]  # fmt: skip

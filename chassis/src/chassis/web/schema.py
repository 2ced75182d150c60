"""Schemas of bodies and of queries: what is not documented is refused, by path, with 422."""

from __future__ import annotations

import marshmallow as ma

from chassis.web import fields


class Schema(ma.Schema):
    """A body. Unknown members are refused, so that a misspelt one never passes silently."""

    class Meta:
        unknown = ma.RAISE


class QuerySchema(ma.Schema):
    """Query parameters; unknown and repeated ones are refused."""

    from_query = True

    class Meta:
        unknown = ma.RAISE


class PageArgs(QuerySchema):
    """What every list takes. Add filters by inheriting."""

    limit = fields.Whole(min=1, max=200, load_default=50)
    cursor = fields.Text(max=2000, load_default=None, metadata={"description": "`next` of the page before"})

"""flask-smorest's Blueprint with our reader, and what the application must know of a view before it calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import marshmallow as ma
from flask_smorest import Blueprint as SmorestBlueprint
from flask_smorest.utils import resolve_schema_instance

from chassis.web.arguments import Parser

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(SmorestBlueprint):
    """Decorate in this order: route, ``@requires``, ``@blueprint.arguments``, ``@blueprint.response``."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: Any, *, location: str = "json", **kwargs: Any) -> Callable[[View], View]:
        """As flask-smorest's; a JSON body may be left out only where no field of it is required."""
        instance: ma.Schema = resolve_schema_instance(schema)
        if location == "json":
            kwargs.setdefault("required", instance.many or any(field.required for field in instance.fields.values()))
        decorate = super().arguments(instance, location=location, **kwargs)

        def mark(view: View) -> View:
            decorated: View = decorate(view)
            reads = {**getattr(view, "_reads", {}), location: bool(kwargs.get("required", False))}
            decorated._reads = reads  # type: ignore[attr-defined]
            return decorated

        return mark

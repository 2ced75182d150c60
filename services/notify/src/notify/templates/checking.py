"""Is a text right for its key? Asked when it is saved, and of all bundled texts at every start.

Two questions. Does it say only what the language of texts has (no calls, no arithmetic, no `safe`), and does every
name in it exist in the event's JSON Schema, with a filter that fits? And filled in with the schema's example, and with
the least that the schema allows, does anything come out? So an event that is admitted can always be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from notify.templates.catalogue import Vocabulary, every_bundled, vocabulary
from notify.templates.domain import CHANNELS, TEXTS_OF, Surroundings, Texts
from notify.templates.filling import fill
from notify.templates.language import FILTERS, TESTS, environment

Schema = Mapping[str, Any]
NESTED = 12  # how deep conditions and expressions may go: a compiler has its limits too
DEEPEST = 2  # loops within loops: an event's lists are short, their powers are not
_WHOLE: Schema = {"type": "integer"}
_LOOP: Schema = {
    "type": "object",
    "properties": {"first": {"type": "boolean"}, "last": {"type": "boolean"}, "index": _WHOLE, "length": _WHOLE},
}
_ANY: Schema = {}


def check(texts: Texts, channel: str, words: Vocabulary) -> dict[str, list[str]]:
    """What is wrong, by part (``subject``, ``text``, ``html``); empty: the texts are right."""
    wrong: dict[str, list[str]] = {}
    borrowed = TEXTS_OF.get(channel, channel)
    if borrowed not in CHANNELS:
        return {"channel": [f"must be one of: {', '.join(CHANNELS)}"]}
    if borrowed == "sms" and texts.subject is not None:
        wrong["subject"] = ["an SMS has none"]
    if borrowed != "sms" and texts.subject is None:
        wrong["subject"] = ["is missing"]
    if borrowed != "email" and texts.html is not None:
        wrong["html"] = ["only a mail has one"]
    for part in ("subject", "text", "html"):
        if (source := getattr(texts, part)) is not None and (found := _read(source, words.schema, part == "html")):
            wrong.setdefault(part, []).extend(found)
    return wrong or _tried(texts, borrowed, words)


def _tried(texts: Texts, channel: str, words: Vocabulary) -> dict[str, list[str]]:
    for data, which in ((words.example, "the example"), (least(words.schema), "the least that the event may say")):
        try:
            rendered = fill(texts, "", channel, "en", 0, words, data, Surroundings(), None)
        except (TemplateError, ValueError, TypeError) as why:
            return {"text": [f"filled in with {which}: {why}"]}
        if not rendered.text:
            return {"text": [f"filled in with {which}, nothing is left"]}
        if rendered.subject == "":
            return {"subject": [f"filled in with {which}, nothing is left"]}
    return {}


def least(schema: Schema) -> Any:
    """The least valid value: only what is required, nothing where nothing is allowed, lists empty."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if "null" in kinds:
        return None
    if kinds[0] == "object":
        properties = schema.get("properties", {})
        return {name: least(properties[name]) for name in schema.get("required", ()) if name in properties}
    if kinds[0] == "array":
        return [least(schema["items"])] * schema.get("minItems", 0)
    return {"integer": schema.get("minimum", 0), "boolean": False}.get(kinds[0], _least_text(schema))


def _least_text(schema: Schema) -> str:
    if "const" in schema or "enum" in schema:
        return str(schema.get("const") or schema["enum"][0])
    formats = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01"}
    return formats.get(schema.get("format", ""), "0" if _numeric(schema) else "x")


def _numeric(schema: Schema) -> bool:
    kinds = schema.get("type", ())
    return "integer" in kinds or "(0|[1-9]" in schema.get("pattern", "")


def _read(source: str, schema: Schema, markup: bool) -> list[str]:
    reader = _Reader(schema)
    try:
        reader.blocks(environment(markup=markup).parse(source).body)
    except TemplateSyntaxError as wrong:
        return [f"line {wrong.lineno}: {wrong.message}"]
    except RecursionError:
        return ["is nested too deeply"]
    return reader.wrong


class _Reader:
    """Walks one text; whatever it does not know is refused."""

    def __init__(self, schema: Schema) -> None:
        self.scopes: list[Schema] = [schema.get("properties", {})]
        self.wrong: list[str] = []
        self.depth = 0

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One step into blocks or expressions."""
        self.depth += 1
        if self.depth > NESTED:
            raise RecursionError
        yield
        self.depth -= 1

    def refuse(self, node: nodes.Node, why: str) -> Schema:
        self.wrong.append(f"line {node.lineno}: {why}")
        return _ANY

    def blocks(self, found: list[nodes.Node]) -> None:
        for node in found:
            with self.deeper():
                self.block(node)

    def block(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                self.shown(child)
        elif isinstance(node, nodes.If):
            self.type_of(node.test)
            self.blocks(node.body)
            self.blocks(list(node.elif_))
            self.blocks(node.else_)
        elif isinstance(node, nodes.For) and not node.recursive:
            self.loop(node)
        else:
            self.refuse(node, f"{type(node).__name__.lower()} is not part of the language of texts")

    def loop(self, node: nodes.For) -> None:
        listed = self.type_of(node.iter)
        if listed is not _ANY and "items" not in listed:
            self.refuse(node, "only a list can be gone through")
        if not isinstance(node.target, nodes.Name):
            self.refuse(node, "give the loop one name")
            return
        self.scopes.append({node.target.name: listed.get("items", _ANY), "loop": _LOOP})
        if len(self.scopes) > DEEPEST + 1:
            self.refuse(node, f"loops go {DEEPEST} deep at most")
        if node.test is not None:
            self.type_of(node.test)
        self.blocks(node.body)
        self.scopes.pop()
        self.blocks(node.else_)

    def shown(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.TemplateData):
            return
        schema = self.type_of(node)
        if "properties" in schema or "items" in schema:
            self.refuse(node, "is a group of values: name one of them")

    def type_of(self, node: nodes.Node) -> Schema:
        with self.deeper():
            return self.expression(node)

    def expression(self, node: nodes.Node) -> Schema:
        if isinstance(node, nodes.Name):
            return self.named(node, node.name)
        if isinstance(node, nodes.Getattr):
            return self.member(node, self.type_of(node.node), node.attr)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            inner = self.type_of(node.node)
            place = node.arg.value
            return inner.get("items", _ANY) if isinstance(place, int) else self.member(node, inner, place)
        if isinstance(node, nodes.Filter) and node.node is not None:
            return self.filtered(node, node.node)
        return self.plain(node)

    def plain(self, node: nodes.Node) -> Schema:
        """What has no names of its own: constants, comparisons, and so on. Its type is nobody's concern."""
        if isinstance(node, nodes.Test) and node.name not in TESTS:
            self.refuse(node, f"there is no test {node.name}; there are {', '.join(sorted(TESTS))}")
        elif not isinstance(node, _PLAIN):
            self.refuse(node, f"{type(node).__name__.lower()} is not part of the language of texts")
        else:
            for child in node.iter_child_nodes():
                self.type_of(child)
        return _ANY

    def named(self, node: nodes.Node, name: str) -> Schema:
        for scope in reversed(self.scopes):
            if name in scope:
                found: Schema = scope[name]
                return found
        return self.refuse(
            node, f"there is no {name}{_perhaps(name, [known for scope in self.scopes for known in scope])}"
        )

    def member(self, node: nodes.Node, schema: Schema, name: str) -> Schema:
        if name.startswith("_"):
            return self.refuse(node, f"there is no {name} in it")
        if schema is _ANY:
            return _ANY
        properties = schema.get("properties", {})
        if name not in properties:
            return self.refuse(node, f"there is no {name} in it{_perhaps(name, list(properties))}")
        found: Schema = properties[name]
        return found

    def filtered(self, node: nodes.Filter, inner: nodes.Node) -> Schema:
        schema = self.type_of(inner)
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self.type_of(argument)
        if node.name not in FILTERS:
            return self.refuse(node, f"there is no filter {node.name}{_perhaps(node.name, sorted(FILTERS))}")
        if not _FITS.get(node.name, lambda _: True)(schema):
            return self.refuse(node, f"{node.name} does not fit here")
        if node.name in ("first", "last"):
            return schema.get("items", _ANY)
        return {"default": schema, "length": _WHOLE}.get(node.name, _ANY)


_PLAIN = (
    nodes.Const, nodes.List, nodes.Tuple, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
    nodes.Concat, nodes.Test,
)  # fmt: skip
_FITS = {
    "moment": lambda schema: schema.get("format") == "date-time",
    "day": lambda schema: schema.get("format") in ("date", "date-time"),
    "number": _numeric,
    "lateness": lambda schema: "integer" in schema.get("type", ()),
    "lines": lambda schema: "string" in schema.get("type", ()),
    "length": lambda schema: bool({"array", "string"} & {schema.get("type")}),
    "first": lambda schema: "items" in schema,
    "last": lambda schema: "items" in schema,
    "join": lambda schema: "items" in schema and "properties" not in schema["items"],
}


def _perhaps(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"


@cache
def check_bundled() -> None:
    """Raise if a text of this release does not fit its event: then the release is wrong, and does not start."""
    findings = list(_bundled_findings())
    if findings:
        raise ValueError("bundled templates: " + "; ".join(findings))


def _bundled_findings() -> Iterator[str]:
    for key, channel, locale, texts in every_bundled():
        words = vocabulary(key)
        assert words is not None  # noqa: S101 - every bundled key is in the catalogue
        for part, messages in check(texts, channel, words).items():
            yield f"{key} {channel} {locale} {part}: {'; '.join(messages)}"

"""Tables as files: CSV that a spreadsheet opens as it is meant, Chinese included."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response

from gateway.console.web import backend

LINES = 200  # of one page of the API, its most
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """``<name>.csv`` to be kept: UTF-8 with the mark by which spreadsheets know it.

    Numbers stay numbers (decimal strings of the API too); a text that a spreadsheet would run as a formula is kept
    from it by an apostrophe.
    """
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(head)
    lines.writerows([_cell(value) for value in row] for row in rows)
    return Response(
        "\ufeff" + written.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def every(path: str, **query: Any) -> Iterator[Any]:
    """All items of a list of the API, page after page: a file holds more than a page shows."""
    cursor: str | None = ""
    while cursor is not None:
        found = backend().get(path, **query, limit=LINES, cursor=cursor)
        yield from found["items"]
        cursor = found["next"]


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.startswith(_FORMULA) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

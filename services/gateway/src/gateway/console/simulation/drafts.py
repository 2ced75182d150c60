"""What somebody typed or uploaded, as the pack that the service stages: over a version that it knows already."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import FileStorage

from gateway.console.words import N_, gettext

LOYALTY = "loyalty.yaml"
NOT_YAML = N_("Choose the pack's files (.yaml), or the whole pack as one .zip.")
NOT_TEXT = N_("This file is no text in UTF-8.")


class Unusable(Exception):
    """An upload that no pack can be made of; says why, in the reader's language."""


def loyalty_file(version: Mapping[str, Any]) -> tuple[str, str]:
    """The file of a version that holds the rules of points, and its text: its own, else the one it extends."""
    own = f"{version['pack']}/{LOYALTY}"
    files = version["files"]
    inherited = next((text for name, text in sorted(files.items()) if name.endswith("/" + LOYALTY)), "")
    return own, files.get(own, inherited)


def with_text(version: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The version with its rules of points as they were typed."""
    own, _ = loyalty_file(version)
    return {"files": {**version["files"], own: text.replace("\r\n", "\n")}}


def with_uploads(version: Mapping[str, Any], uploads: Sequence[FileStorage]) -> dict[str, Any]:
    """A zip is a pack of its own; YAML files take the place of the version's files of the same name.

    Raises Unusable.
    """
    (first, *more) = uploads
    if (first.filename or "").endswith(".zip") and not more:
        return {"archive": base64.b64encode(first.read()).decode()}
    files = dict(version["files"])
    for upload in uploads:
        name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
        if not name.endswith((".yaml", ".yml")):
            raise Unusable(gettext(NOT_YAML))
        try:
            files[f"{version['pack']}/{name.removesuffix('.yml').removesuffix('.yaml')}.yaml"] = upload.read().decode()
        except UnicodeDecodeError:
            raise Unusable(f"{name}: {gettext(NOT_TEXT)}") from None
    return {"files": files}

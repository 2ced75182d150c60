"""Write every service's OpenAPI document from its marshmallow schemas; ``--check`` only says whether one drifted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from chassis.web.app import openapi_document
from kezhi.installation import SERVICES, build_service

FOLDER = Path(__file__).parent / "openapi"


def documents() -> dict[Path, bytes]:
    """Path → content, for every service."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {
        FOLDER / f"{name}.json": orjson.dumps(openapi_document(build_service(name)), option=options)
        for name in SERVICES
    }


def main() -> int:
    """Write or compare; 1 when a document drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = documents()
    drifted = [path for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]
    FOLDER.mkdir(exist_ok=True)
    for path in drifted:
        if check:
            print(f"{path.name} no longer says what the code does; run `make contracts` and review the difference")
        else:
            path.write_bytes(wanted[path])
            print(f"wrote {path.name}")
    return int(check and bool(drifted))


if __name__ == "__main__":
    sys.exit(main())

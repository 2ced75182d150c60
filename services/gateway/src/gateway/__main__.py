"""``python -m gateway serve | work | migrate | openapi``, and ``keys rotate [--at-once]``."""

from __future__ import annotations

import sys

from chassis.cli import main
from gateway.bootstrap import build_service
from gateway.signin.cli import keys

if sys.argv[1:2] == ["keys"]:
    keys(sys.argv[2:])
else:
    main(build_service)

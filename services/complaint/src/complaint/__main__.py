"""``python -m complaint serve | work | migrate | openapi``."""

from chassis.cli import main
from complaint.bootstrap import build_service

main(build_service)

"""``python -m notify serve | work | migrate | openapi``."""

from chassis.cli import main
from notify.bootstrap import build_service

main(build_service)

"""``python -m loyalty serve | work | migrate | openapi``."""

from chassis.cli import main
from loyalty.bootstrap import build_service

main(build_service)

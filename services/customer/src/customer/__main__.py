"""``python -m customer serve | work | migrate | openapi``."""

from chassis.cli import main
from customer.bootstrap import build_service

main(build_service)

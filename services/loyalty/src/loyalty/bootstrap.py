"""The only place that wires: what the loyalty service consists of, for the chassis to run."""

from __future__ import annotations

from pathlib import Path

from chassis.service import Service, Snapshot
from loyalty.earning import waiting
from loyalty.earning.subscriptions import PURCHASES
from loyalty.earning.use_cases import look_at_waiting_refund
from loyalty.members.subscriptions import CUSTOMERS
from loyalty.members.use_cases import snapshot
from loyalty.policy import SECTION


def build_service() -> Service:
    """Declare the service."""
    return Service(
        name="loyalty",
        title="Kezhi loyalty: a points ledger that is kept like money",
        version="0.1.0",
        migrations=Path(__file__).with_name("migrations"),
        subscriptions=(PURCHASES, CUSTOMERS),
        due={waiting.RECHECK: look_at_waiting_refund},
        policy=SECTION,
        snapshots=(Snapshot("members", snapshot),),
    )

"""The only place that wires: what the loyalty service consists of, for the chassis to run."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.jobs import runs
from chassis.service import Schedule, Service, Snapshot
from loyalty.compensation.subscriptions import COMPENSATIONS
from loyalty.earning import api as earning
from loyalty.earning import waiting
from loyalty.earning.subscriptions import PURCHASES
from loyalty.earning.use_cases import look_at_waiting_refund
from loyalty.expiry.use_cases import expire_lots, release_pending
from loyalty.members import api as members
from loyalty.members.subscriptions import CUSTOMERS
from loyalty.members.use_cases import snapshot
from loyalty.permissions import PERMISSIONS
from loyalty.policy import SECTION
from loyalty.redemption import api as redemption
from loyalty.redemption.use_cases import TIME_OUT, time_out
from loyalty.reporting import api as reporting
from loyalty.reporting.reconciliation import JOB, reconcile_nightly, reconcile_step
from loyalty.tiers import api as tiers
from loyalty.tiers.use_cases import review


def build_service() -> Service:
    """The loyalty service as it declares itself."""
    return Service(
        name="loyalty",
        title="Kezhi loyalty: points kept like money",
        version=version("kezhi-loyalty"),
        migrations=Path(__file__).with_name("migrations"),
        blueprints=(
            members.blueprint,
            tiers.blueprint,
            earning.blueprint,
            redemption.blueprint,
            reporting.blueprint,
        ),
        permissions=PERMISSIONS,
        subscriptions=(PURCHASES, CUSTOMERS, COMPENSATIONS, people.subscription()),
        due={TIME_OUT: time_out, waiting.RECHECK: look_at_waiting_refund, f"job:{JOB}": runs(reconcile_step)},
        schedules=(
            Schedule("release-pending", "* * * * *", release_pending),
            Schedule("expire-lots", "* * * * *", expire_lots),
            Schedule("review-tiers", "20 0 * * *", review),
            Schedule("reconcile", "30 3 * * *", reconcile_nightly),
        ),
        policy=SECTION,
        snapshots=(Snapshot("members", snapshot),),
    )

"""The one place that wires the customer service; nothing else knows all of its parts."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.jobs import runs
from chassis.service import Schedule, Service
from customer.admission import api as admission
from customer.admission.approvals import BLACKLISTING, REINSTATEMENT
from customer.admission.use_cases import EXPIRY, let_blacklisting_lapse
from customer.archive import api as archive
from customer.archive.subscriptions import ARCHIVE
from customer.importing import api as importing
from customer.importing.use_cases import IMPORT, forget_lines, work_off
from customer.insight import api as insight
from customer.permissions import PERMISSIONS
from customer.policy import SECTION
from customer.purchases import api as purchases
from customer.purchases.subscriptions import PURCHASES
from customer.registry import api as registry
from customer.registry.snapshots import CUSTOMERS
from customer.segmentation import api as segmentation
from customer.segmentation.approvals import LOWERING
from customer.segmentation.use_cases import APPLY, RUN, carry_out_falls, carry_out_run, review_monthly


def build_service() -> Service:
    """The customer service as it declares itself."""
    return Service(
        name="customer",
        title="Kezhi customer registry",
        version=version("kezhi-customer"),
        migrations=Path(__file__).parent / "migrations",
        blueprints=(
            registry.blueprint,
            archive.blueprint,
            admission.blueprint,
            purchases.blueprint,
            segmentation.blueprint,
            insight.blueprint,
            importing.blueprint,
        ),
        permissions=PERMISSIONS,
        subscriptions=(PURCHASES, ARCHIVE, people.subscription()),
        due={
            EXPIRY: let_blacklisting_lapse,
            f"job:{IMPORT}": runs(work_off),
            f"job:{RUN}": runs(carry_out_run),
            f"job:{APPLY}": runs(carry_out_falls),
        },
        # Before the first working hour of the month, so that the figures of the whole month before are in.
        schedules=(
            Schedule("monthly-review", "0 2 1 * *", review_monthly),
            Schedule("forget-import-lines", "45 3 * * *", forget_lines),
        ),
        approvals={each.kind: each for each in (BLACKLISTING, REINSTATEMENT, LOWERING)},
        policy=SECTION,
        snapshots=(CUSTOMERS,),
    )

"""A lower grade takes something away: a second person looks first."""

from __future__ import annotations

from chassis.approvals.registry import Approval
from customer.segmentation.use_cases import FALLS, lower_grades

LOWERING = Approval(
    kind=FALLS,
    permission="segmentation:approve",
    execute=lower_grades,
    describe=lambda content: f"Lower the grade of {content['customers']} customers, as of {content['as_of']}",
)

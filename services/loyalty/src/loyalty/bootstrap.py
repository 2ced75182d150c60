"""The only place that wires: what the loyalty service consists of, for the chassis to run."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.jobs import runs
from chassis.policies.simulation import JOB as SIMULATION
from chassis.policies.simulation import simulation_step
from chassis.service import Schedule, Service, Snapshot
from loyalty.adjustments import api as adjustments
from loyalty.adjustments.use_cases import ADJUSTING
from loyalty.campaigns import api as campaigns
from loyalty.campaigns.use_cases import STARTING
from loyalty.compensation.subscriptions import COMPENSATIONS
from loyalty.earning import api as earning
from loyalty.earning import waiting
from loyalty.earning.subscriptions import PURCHASES
from loyalty.earning.use_cases import look_at_waiting_refund
from loyalty.expiry.noticing import notify_of_expiry
from loyalty.expiry.use_cases import expire_lots, release_pending
from loyalty.fraud import api as fraud
from loyalty.fraud.voiding import VOIDING
from loyalty.grants.birthdays import grant_birthdays
from loyalty.grants.subscriptions import MILESTONES, REWARDS
from loyalty.members import api as members
from loyalty.members.subscriptions import CUSTOMERS
from loyalty.members.use_cases import snapshot
from loyalty.merging import api as merging
from loyalty.merging.parting import PARTING
from loyalty.openings import api as openings
from loyalty.permissions import PERMISSIONS
from loyalty.policy import SECTION
from loyalty.rebates import api as rebates
from loyalty.rebates.use_cases import settle_rebates
from loyalty.redemption import api as redemption
from loyalty.redemption import redemptions_api as redemptions
from loyalty.redemption.use_cases import TIME_OUT, time_out
from loyalty.referrals import api as referrals
from loyalty.referrals.noticing import PAY
from loyalty.referrals.paying import LOOK_AGAIN, look_again, pay_referral
from loyalty.reporting import api as reporting
from loyalty.reporting.reconciliation import JOB, reconcile_nightly, reconcile_step
from loyalty.rewards import api as rewards
from loyalty.simulation.use_cases import simulate
from loyalty.tiers import api as tiers
from loyalty.tiers import reviews_api, rights_api
from loyalty.tiers.granting import GRANTING
from loyalty.tiers.noticing import warn_of_falls
from loyalty.tiers.reviewing import JOB as TIER_REVIEW
from loyalty.tiers.reviewing import review_step
from loyalty.tiers.use_cases import review
from loyalty.vouchers import api as vouchers


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
            rights_api.blueprint,
            reviews_api.blueprint,
            earning.blueprint,
            redemption.blueprint,
            redemptions.blueprint,
            rewards.blueprint,
            vouchers.blueprint,
            adjustments.blueprint,
            referrals.blueprint,
            openings.blueprint,
            merging.blueprint,
            campaigns.blueprint,
            fraud.blueprint,
            rebates.blueprint,
            reporting.blueprint,
        ),
        permissions=PERMISSIONS,
        subscriptions=(PURCHASES, CUSTOMERS, COMPENSATIONS, REWARDS, MILESTONES, people.subscription()),
        due={
            TIME_OUT: time_out,
            waiting.RECHECK: look_at_waiting_refund,
            PAY: pay_referral,
            LOOK_AGAIN: look_again,
            f"job:{JOB}": runs(reconcile_step),
            f"job:{TIER_REVIEW}": runs(review_step),
            f"job:{SIMULATION}": runs(simulation_step),
        },
        schedules=(
            Schedule("release-pending", "* * * * *", release_pending),
            Schedule("expire-lots", "* * * * *", expire_lots),
            Schedule("review-tiers", "20 0 * * *", review),
            Schedule("notify-of-expiry", "5 9 * * *", notify_of_expiry),
            Schedule("warn-of-falls", "10 9 * * *", warn_of_falls),
            Schedule("grant-birthdays", "10 * * * *", grant_birthdays),
            Schedule("settle-rebates", "40 * * * *", settle_rebates),
            Schedule("reconcile", "30 3 * * *", reconcile_nightly),
        ),
        approvals={each.kind: each for each in (ADJUSTING, GRANTING, PARTING, STARTING, VOIDING)},
        policy=replace(SECTION, simulate=simulate),
        snapshots=(Snapshot("members", snapshot),),
    )

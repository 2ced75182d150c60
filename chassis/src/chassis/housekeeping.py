"""What every service does beside its own schedules: seal the audit trail, let proposals and idempotency keys expire,
sweep messages that did their work and jobs that ended long ago.
"""

from __future__ import annotations

from chassis.approvals.use_cases import expire
from chassis.audit.trail import seal
from chassis.jobs import forget_finished
from chassis.messaging import retention
from chassis.service import Schedule
from chassis.web.idempotency import forget_expired

HOUSEKEEPING = (
    Schedule("chassis.seal-audit", "* * * * *", seal),
    Schedule("chassis.expire-approvals", "*/5 * * * *", expire),
    Schedule("chassis.forget-idempotency-keys", "17 * * * *", forget_expired),
    Schedule("chassis.forget-jobs", "55 3 * * *", forget_finished),
    *retention.SCHEDULES,
)

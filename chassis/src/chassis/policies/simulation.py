"""Try a staged version on the living without effect: a job, because the living may be many (decision 29)."""

from __future__ import annotations

from chassis import jobs
from chassis.errors import Conflict
from chassis.jobs import JobRow
from chassis.policies.section import Simulation
from chassis.policies.use_cases import staged
from chassis.runtime import Context
from chassis.service import Service
from chassis.web.principal import Principal

JOB = "policy-simulation"


def begin_simulation(context: Context, hash: str, principal: Principal) -> JobRow:
    """Queue a trial of a staged version beside the one in force now.

    Raises NotFound for a version that is not staged, PolicyRefused for one that this release cannot read, Conflict
    where the service has no simulation.
    """
    _simulation(context.runtime.service)
    tried = context.policies.of(context.session, staged(context.session, hash).hash)
    in_force = context.policies.in_force()
    # both are named, so that every step compares the same two even if another version is activated meanwhile
    params = {"tried": tried.hash, "in_force": in_force.hash, "below": principal.unit_path}  # whom the asker sees
    return jobs.start(context.session, context.clock, JOB, params, principal)


def simulation_step(context: Context, job: JobRow) -> bool:
    """The job's step: the service's own, with both versions as they were named at the beginning."""
    simulate = _simulation(context.runtime.service)
    in_force, tried = (context.policies.of(context.session, job.params[name]) for name in ("in_force", "tried"))
    return simulate(context, in_force, tried, job)


def _simulation(service: Service) -> Simulation:
    if service.policy is None or service.policy.simulate is None:
        raise Conflict(
            f"{service.name} cannot simulate policies yet; nothing was computed",
            service=service.name,
        )
    found: Simulation = service.policy.simulate
    return found

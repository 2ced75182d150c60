"""The first day of a service: its first policy version, and whatever else an empty installation needs.

Repeatable: an installation that exists already is left as it is (decision 15: a start-up option only stages a first
version).
"""

from __future__ import annotations

from pathlib import Path

from chassis.policies.use_cases import found_policy
from chassis.runtime import Runtime


def found(runtime: Runtime, pack: Path | None) -> list[str]:
    """Activate ``pack`` if no version ever was, then let the service found what it must; answers what to tell."""
    told = []
    with runtime.context() as context:
        if pack is not None:
            found_policy(context.session, runtime.service, pack, context.clock)
        if runtime.service.found is not None:
            word = runtime.service.found(context)
            told += [word] if word else []
    return told

"""What recurs: a new signing key each month, and forgetting what is past use."""

from __future__ import annotations

from chassis.runtime import Context
from gateway.console.sessions import forget_old_sessions
from gateway.signin.keys import rotate
from gateway.signin.lockout import forget_old_failures
from gateway.signin.refresh import forget_old_sign_ins


def rotate_monthly(context: Context) -> bool:
    """Publish a new signing key; the old one runs out by itself."""
    rotate(context.session, context.clock)
    return False


def forget(context: Context) -> bool:
    """Drop old failure counts, ended sign-ins and idle browser sessions."""
    forget_old_failures(context.session, context.clock)
    forget_old_sessions(context.session, context.clock)
    forget_old_sign_ins(context.session, context.clock)
    return False

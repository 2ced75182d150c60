"""Templates: what is said, per key, channel and language.

A key is ``<event>.<audience>``: ``complaint.received.customer`` for customers and complainants,
``complaint.received.staff`` for handlers, superiors, account managers; ``link.issued.follow`` and ``link.issued.answer``
by purpose (always to the customer); ``one-time-code`` has no event.
"""

from notify.templates.domain import Rendered, Segments, Surroundings
from notify.templates.use_cases import NoTemplate, render

__all__ = ["NoTemplate", "Rendered", "Segments", "Surroundings", "render"]

"""Templates: what is said, per key, channel and language.

A key has the name of its route (``complaint_received``, ``complaint_received_handler`` …); ``one_time_code`` has no
event.
"""

from notify.templates.domain import Rendered, Segments, Surroundings
from notify.templates.use_cases import NoTemplate, Shelf, render, vocabulary_of

__all__ = ["NoTemplate", "Rendered", "Segments", "Shelf", "Surroundings", "render", "vocabulary_of"]

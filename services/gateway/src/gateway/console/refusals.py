"""What services say when they refuse, in the reader's language: their titles and the messages that people meet often.

A message that isn't here is shown as the service said it.
"""

from __future__ import annotations

from gateway.console.words import N_

TITLES = (
    N_("Bad request"), N_("Forbidden"), N_("Not found"), N_("Conflict with the current state"),
    N_("Not possible now"), N_("Invalid content"), N_("Precondition failed"), N_("Precondition required"),
    N_("Unsupported media type"), N_("Temporarily unavailable"), N_("Internal error"), N_("Too many requests"),
    N_("Method Not Allowed"), N_("Request Entity Too Large"),
)  # fmt: skip
MESSAGES = (
    N_("Some fields are not valid"),
    N_("must not be empty"),
    N_("must be a text"),
    N_("must be a whole number"),
    N_("must be a day of the calendar, e.g. 2026-11-21"),
    N_("must be one line without control characters"),
    N_("is no e-mail address"),
    N_("is no phone number; write it with its area or country code, e.g. +86 138 0013 8000"),
    N_("has too few or too many digits; write it with its area or country code, e.g. +86 138 0013 8000"),
    N_("give a name, a phone or an e-mail address"),
    N_("give points, or an amount with its currency"),
    N_("Missing data for required field."),
    N_("A customer very like this one is registered; open it, or send `force: true` if this is somebody else"),
    N_("Another request changed the same thing at the same time: read it again"),
    N_("Another request is working on the same thing: try again in a moment"),
    N_("The database can't take this request now; nothing was changed. Try again"),
)

"""Points changed by hand: with a reason, within limits, and beyond them only with a second person."""

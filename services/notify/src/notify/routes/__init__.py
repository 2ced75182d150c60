"""Routes: which event is told to whom."""

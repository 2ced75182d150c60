"""Messages: what is to be said, planned from events, and where it stands."""

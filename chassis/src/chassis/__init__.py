"""The plumbing every Kezhi service stands on: no business rule lives here, and no service is imported."""

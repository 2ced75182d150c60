"""Everything at once: the 360° view, search and the audit trail of all services, each part guarded where it lives."""

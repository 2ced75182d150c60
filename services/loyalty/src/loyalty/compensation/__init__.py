"""Points that a complaint was compensated with: decided by the complaint service, carried out here exactly once."""

"""Storage: one PostgreSQL database per service, one dialect everywhere."""

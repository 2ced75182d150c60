"""Members: enrolment, identities, standing and the account row."""

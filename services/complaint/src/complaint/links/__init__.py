"""Personal links: complainants follow their case and answer the call-back without an account (FR-07, decision 16)."""

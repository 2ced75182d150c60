"""Approvals: one resource for everything that a second person must agree to (decisions 14, 15)."""

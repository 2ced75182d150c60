"""Purchases that look wrong: their points wait until somebody has looked (ML-05)."""

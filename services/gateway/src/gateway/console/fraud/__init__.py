"""Purchases that look wrong: what was found, and the look that releases their points or voids them (ML-05)."""

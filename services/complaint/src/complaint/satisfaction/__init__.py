"""Satisfaction: asked after every round, by someone who did not handle it, until the answer is good (CG-16, FR-08)."""

"""Tiers: who stands where and what it takes, reviews of everybody, and who moved between two days."""

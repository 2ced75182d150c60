"""Tiers: rising at once, kept for a period, reviewed when it ends."""

"""Campaigns: more points for a while, for some, within a budget, and what came of it."""

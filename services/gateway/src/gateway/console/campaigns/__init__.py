"""Campaigns: drafted, started by a second person, stopped; and what came of each."""

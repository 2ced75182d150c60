"""Rebates: what dealers are given back at the end of a period, by their level and by what they bought (LQ-05)."""

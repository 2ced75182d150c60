"""Redemption: points set aside, taken, or given back."""

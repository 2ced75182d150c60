"""Vouchers: a code that is worth something once, for a time."""

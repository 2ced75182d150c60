"""Audit: who did what, when; sealed so that no row can be changed or taken out unnoticed."""

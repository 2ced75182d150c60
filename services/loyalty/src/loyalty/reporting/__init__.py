"""Reporting: what we owe, and the proof that the books are right."""

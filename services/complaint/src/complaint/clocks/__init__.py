"""Clocks: every promise of time as a row with its calculation, its warning, its breach, each said once."""

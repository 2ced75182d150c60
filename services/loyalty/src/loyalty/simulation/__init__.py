"""Simulation: what another policy would have made of the last twelve months, tried on everybody, changing nothing."""

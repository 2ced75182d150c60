"""Opening balances: what members had in the system before this one, taken over once and to the last point."""

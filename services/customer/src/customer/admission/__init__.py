"""May we trade with them now: standing and the blacklist (AD-05, AD-06)."""

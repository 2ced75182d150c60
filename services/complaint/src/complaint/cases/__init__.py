"""Cases: what was said, who has it, what may be done with it, and everything that was done."""

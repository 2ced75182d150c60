"""Members and their ledger: what each point came from, when it lapses, what the next tier asks for."""

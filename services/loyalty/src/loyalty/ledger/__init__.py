"""The ledger: what is posted, never changed; what follows from it, cached and proven."""

"""Recipients: whom we may write to, where, and when."""

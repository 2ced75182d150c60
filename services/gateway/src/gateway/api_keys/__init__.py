"""Keys for machines: shown once, stored hashed, exchanged at the gateway into short tokens."""

"""Proving who someone is: passwords, lock-out, access tokens, refresh families, signing keys."""

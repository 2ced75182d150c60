"""Carrying requests to the services that own them."""

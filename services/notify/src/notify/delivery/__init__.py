"""Delivery: messages leave, once, however often a process dies."""

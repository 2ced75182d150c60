"""Kezhi's published language: read an event, check it against its schema, publish it with confirms."""

"""Customers: finding, registering, everything known of one."""

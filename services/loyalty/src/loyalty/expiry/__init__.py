"""Expiry: points become available when their pending time ends, and lapse when their life ends."""

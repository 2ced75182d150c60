"""Earning: a purchase becomes points by written policy, a refund takes the same points back."""

"""Rewards: the catalogue, what was redeemed, vouchers taken in, points changed by hand."""

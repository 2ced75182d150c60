"""The catalogue: what points are exchanged for, at what price, for whom, and how many of it there are."""

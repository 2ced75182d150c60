"""What the purchases say of the whole: recency, frequency, money, and loyalty (CG-25)."""

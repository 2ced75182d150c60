"""One-time codes: a customer without an account proves a telephone number, and sees their own points (decision 16)."""

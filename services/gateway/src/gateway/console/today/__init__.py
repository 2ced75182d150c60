"""What is due today, for me."""

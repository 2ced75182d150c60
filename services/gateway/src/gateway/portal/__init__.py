"""The public portal: tell us, follow it by a personal link, say whether it was solved. No account (decision 35)."""

"""Who is this, what are they worth, may we trade: the customer registry and everything known of one customer."""

"""What the company owes its members in points, when it lapses, and what moved it month by month."""

"""Resolution: what happened, what is done about it, who may grant what, and what the customer is told (CG-15)."""

"""A draft of the policy tried on everybody's last twelve months before anybody lives by it (CG-22)."""

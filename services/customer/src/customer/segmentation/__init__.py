"""Classes by behaviour and nature, grades by value: runs over the whole population (CG-06 to CG-09)."""

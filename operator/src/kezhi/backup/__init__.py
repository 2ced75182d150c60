"""`kezhi backup` and `kezhi restore`: a whole installation in one file.

``cut`` finds one instant for all databases, ``archive`` is the file, ``save`` writes it, ``restore`` reads it,
``level`` sends again what was on its way at that instant.
"""

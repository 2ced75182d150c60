"""Every sale once, whichever way and however often it was told (decisions 2 to 4)."""

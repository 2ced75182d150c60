"""Members who bring new ones: both are rewarded once the new one has bought, and nobody refers themselves (CG-25)."""

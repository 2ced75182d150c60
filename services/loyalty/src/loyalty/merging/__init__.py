"""Merging: two members become one and, where nothing was spent across them, two again."""

"""A written regulation as configuration: packs are read strictly, kept immutably, cited by every decision."""

"""Who works here: the tree of units, the staff in it, and the state events of both."""

"""Running the house: what could not be taken, who did what, who works here, what waits for a second person."""

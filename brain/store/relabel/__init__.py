"""Labels that were put right, and those that wait for it."""

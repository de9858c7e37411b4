"""How many duplicates are found, and how many pairs are wrongly called duplicates."""

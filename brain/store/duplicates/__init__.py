"""Groups of the same picture, and what was decided of them."""

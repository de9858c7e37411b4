"""What is known of the objects of a field of boxes."""

"""What people decided of failures."""

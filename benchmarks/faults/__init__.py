"""What goes wrong in use, tried on purpose."""

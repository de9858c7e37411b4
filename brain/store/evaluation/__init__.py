"""What models are judged by, and what was found."""

"""What a prompt asks to be written, what is written, and how the two differ. The text check is made of these."""

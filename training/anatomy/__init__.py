"""What was tried to learn how malformed a hand is, each score made anew from pictures and a seed."""

"""Flaws of known severity to put into pictures, one failure mode a file."""

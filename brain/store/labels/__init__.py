"""Labels as they are given, and what is suggested instead."""

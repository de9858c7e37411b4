"""A synthetic set beside a real one."""

"""How well the text check finds wrong and badly drawn lettering, and how seldom it accuses good one."""

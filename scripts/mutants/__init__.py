"""Puts small faults into a copy of the code, one at a time: do the tests notice? Run by `make mutants`."""

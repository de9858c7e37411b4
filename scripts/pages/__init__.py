"""What scripts/check_pages.py makes the pages of docs/checks from: their cases, pictures and drawings."""

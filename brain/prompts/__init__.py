"""Prompts: where they come from, and what they ask for."""

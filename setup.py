"""The packages, found where they lie: this folder is the package ``loupe``. All other facts stand in pyproject.toml."""

from setuptools import find_packages, setup

ROOMS = find_packages(include=["brain", "brain.*", "operators", "panels", "panels.*", "testing"])
setup(packages=["loupe", *(f"loupe.{room}" for room in ROOMS)])

"""The packages, found where they lie: this folder is the package ``loupe``. All other facts stand in pyproject.toml."""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOMS = find_packages(include=["brain", "brain.*", "operators", "panels", "panels.*", "testing"])


class Build(build_py):
    """Leaves this file out, which lies beside the package's own."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Returns the modules of a package."""
        return [found for found in super().find_package_modules(package, package_dir) if found[1] != "setup"]


setup(packages=["loupe", *(f"loupe.{room}" for room in ROOMS)], cmdclass={"build_py": Build})

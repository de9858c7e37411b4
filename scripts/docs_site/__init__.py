"""The documentation as a site, one folder a version."""

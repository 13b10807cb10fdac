"""This machine: Docker, tools and how they come, packages, certificates. Imports `core` alone."""

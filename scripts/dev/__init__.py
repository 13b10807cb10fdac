"""Commands for the developers of this repository: tests, linters, pins."""

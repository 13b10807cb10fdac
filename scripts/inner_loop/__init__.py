"""`invoke dev`: brings changes of the sources while the app runs (specs/dev.md)."""

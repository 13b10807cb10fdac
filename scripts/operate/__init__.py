"""Commands for a person's own hand on what runs: a restart, another number of pods, a shell, the database."""

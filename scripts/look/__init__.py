"""Commands that look at what runs and change nothing."""

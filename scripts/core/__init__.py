"""What the steps share: settings, secrets, running programs, the pipeline and its report."""

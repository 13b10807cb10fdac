"""The run, and nothing of what it deploys: errors, paths, redaction, log, programs, lock, report, pipeline, waiting."""

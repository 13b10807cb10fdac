"""The audit: every clause of a constitution, held against what is there (specs/audit.md)."""

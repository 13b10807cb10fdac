"""Reads the folder of somebody's app, and drafts `invoke.yaml` and `.env.example` for it (specs/init.md)."""

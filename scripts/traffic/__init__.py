"""Requests against the app: what it answers, what requests got by its logs, and why they fail or take long."""

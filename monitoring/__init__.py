"""Dashboards, alert rules and chart values; `specs/monitoring.md` says what they are for."""

"""Prometheus and Grafana beside the app: charts, dashboards, queries. The folder `monitoring/` holds their data."""

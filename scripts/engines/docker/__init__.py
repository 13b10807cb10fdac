"""The engine without Kubernetes: the pods of the rendered chart as plain containers."""

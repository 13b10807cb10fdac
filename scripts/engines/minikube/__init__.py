"""The engine on Minikube: one profile, named like the project, that it starts, stops and deletes."""

"""One Kubernetes cluster: kubectl and helm, the deployment of a release, rollouts, requests. Knows no engine."""

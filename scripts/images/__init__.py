"""Effects on the local Docker engine's images: base images, builds, archives for nodes."""

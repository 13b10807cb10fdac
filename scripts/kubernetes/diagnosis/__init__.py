"""Why a release is not healthy: what is seen of it, and the rules that find the cause."""

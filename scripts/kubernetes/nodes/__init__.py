"""How images get into a cluster's nodes."""

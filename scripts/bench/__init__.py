"""How fast `invoke` is beside the plain commands that do the same, in one run on one cluster."""

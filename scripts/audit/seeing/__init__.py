"""What sees: effects, each on one thing."""

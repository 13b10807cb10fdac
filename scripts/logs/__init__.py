"""What the services log: a line, what it says in fields, and how a person reads it."""

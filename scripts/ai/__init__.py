"""Assistants: what they may see and do here, and the programs that bring them."""

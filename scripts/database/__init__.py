"""The app's database: how a program gets to it, what it says of itself, and until when its certificate lasts."""

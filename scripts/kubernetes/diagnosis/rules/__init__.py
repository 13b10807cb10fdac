"""The rules that find causes, by where a cause arises."""

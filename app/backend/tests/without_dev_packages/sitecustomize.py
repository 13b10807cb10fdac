"""Python imports this at its start: hide what other packages' optional imports find here and not in the image."""

import sys

# mcp logs with rich and uvicorn reloads with watchfiles where they are installed; each costs megabytes.
sys.modules["rich"] = None  # type: ignore[assignment] # None is how Python says that a module cannot be imported
sys.modules["watchfiles"] = None  # type: ignore[assignment]

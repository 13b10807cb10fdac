"""Start the server: `python -m todo_backend`."""

import gc
import sys

# What is imported stays, so looking for garbage in it would only take a good part of the start-up time.
gc.disable()

from todo_backend.serve import main  # noqa: E402 - the point of the lines above

sys.exit(main())

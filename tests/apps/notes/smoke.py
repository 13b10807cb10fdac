"""One real use: a note that is given to the API comes back from the worker."""

import json
import time
import uuid


def prove(ask):
    """Give a note, and wait for it."""
    note = f"note {uuid.uuid4().hex}"
    assert ask("api", "POST", "/notes", json.dumps(note)).status == 202
    for _ in range(100):
        if note.upper() in ask("api", "GET", "/notes").body:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the worker has not taken the note")
    forms = json.loads(ask("api", "GET", "/form").body)
    assert forms == {"DATABASE_URL": "postgresql+asyncpg", "READ_URL": "postgresql"}, forms
    return "a note has gone through the queue"

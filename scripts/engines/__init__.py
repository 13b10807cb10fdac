"""Where the app can run: one engine a file, behind the protocol in `protocol.py`."""

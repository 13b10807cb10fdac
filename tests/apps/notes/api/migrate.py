"""Runs before the API serves: its database must answer."""

import os
import socket
import urllib.parse

place = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
socket.create_connection((place.hostname, place.port or 5432), 5).close()

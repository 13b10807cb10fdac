"""Asks a Redis."""

import os
import socket
import urllib.parse


def ask(*words):
    place = urllib.parse.urlsplit(os.environ["QUEUE_URL"])
    with socket.create_connection((place.hostname, place.port or 6379), 5) as connection:
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        connection.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
        return _read(connection.makefile("rb"))


def _read(stream):
    kind, rest = (line := stream.readline())[:1], line[1:-2].decode()
    if kind == b"*":
        return [_read(stream) for _ in range(int(rest))]
    if kind == b"$":
        return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode()
    if kind == b"-":
        raise OSError(rest)
    return rest

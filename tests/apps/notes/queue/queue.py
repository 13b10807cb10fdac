"""A server that speaks a little of Redis' protocol: PING, RPUSH, LPOP, LRANGE."""

import collections
import socketserver
import threading

LISTS = collections.defaultdict(list)
LOCK = threading.Lock()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while header := self.rfile.readline():
            words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2].decode() for _ in range(int(header[1:]))]
            with LOCK:
                self.wfile.write(answer(*words))


def answer(command, name="", *rest):
    match command.upper():
        case "PING":
            return b"+PONG\r\n"
        case "RPUSH":
            LISTS[name] += rest
            return f":{len(LISTS[name])}\r\n".encode()
        case "LPOP":
            return bulk(LISTS[name].pop(0)) if LISTS[name] else b"$-1\r\n"
        case "LRANGE":
            return f"*{len(LISTS[name])}\r\n".encode() + b"".join(bulk(each) for each in LISTS[name])
    return b"-ERR unknown command\r\n"


def bulk(text):
    return f"${len(text.encode())}\r\n{text}\r\n".encode()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server(("", 6379), Handler).serve_forever()

"""The API: POST /notes puts a note into the queue, GET /notes lists those that the worker has taken from it, /health tells that it lives."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from client import ask


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.say(200, {"status": "healthy"})
        elif self.path == "/notes":
            self.say(200, ask("LRANGE", "done"))
        elif self.path == "/form":
            self.say(200, {name: os.environ.get(name, "").partition(":")[0] for name in ("DATABASE_URL", "READ_URL")})
        else:
            self.say(404, {})

    def do_POST(self):
        ask("RPUSH", "new", self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.say(202, {})

    def say(self, code, content):
        self.send_response(code)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())


sys.stdout = sys.stderr
ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler).serve_forever()

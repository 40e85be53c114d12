"""Serves the investigators' guide, saved queries and style to Neo4j Browser, on loopback only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder, which pages of Neo4j Browser may read."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_OPTIONS(self) -> None:
        """Answer what a page asks before it reads with headers of its own."""
        self.send_response(204)
        self.send_header("Access-Control-Allow-Methods", "GET")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.end_headers()

    def list_directory(self, path: object) -> None:
        self.send_error(404)


def serve(folder: str, port: int) -> ThreadingHTTPServer:
    """A server of the files in a folder; call its serve_forever."""
    return ThreadingHTTPServer((HOST, port), partial(_Handler, directory=folder))


def main(argv: Sequence[str]) -> int:
    """Serve until the process is ended."""
    folder, port = argv
    serve(folder, int(port)).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

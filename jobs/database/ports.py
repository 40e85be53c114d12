"""Finding a port that nobody listens on."""

from __future__ import annotations

import socket


def free_port(host: str, preferred: int) -> int:
    """The preferred port if it is free, else any free one; 0 prefers none."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    raise OSError(f"no free port on {host}")

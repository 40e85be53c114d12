"""A connection that breaks: forwards to a port on loopback, and cuts all after some bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Forwarder:
    """Listens on `port`; after `cut_after` bytes to the server it closes and refuses all."""

    def __init__(self, target: int, cut_after: int) -> None:
        self._target, self._left = target, cut_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cut()

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for pair, counts in (((client, server), True), ((server, client), False)):
                    threading.Thread(target=self._pump, args=(*pair, counts), daemon=True).start()
        except OSError:
            pass

    def _pump(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(65_536):
                self._left -= len(data) if counts else 0
                if self._left < 0:
                    self._cut()
                sink.sendall(data)
        except OSError:
            pass

    def _cut(self) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

"""A connection on which something happens in the middle: forwards to a port on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Forwarder:
    """Listens on `port`; when `text` is about to pass to the server, it does `then` first.

    Without `then` it closes all connections and refuses new ones.
    """

    def __init__(self, target: int, text: bytes, then: Callable[[], None] | None = None) -> None:
        self._target, self._text, self._then = target, text, then or self._cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self.passed = threading.Event()

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
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                self._sockets += [client, server]
                for pair, looks in (((client, server), True), ((server, client), False)):
                    threading.Thread(target=self._pump, args=(*pair, looks), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, looks: bool) -> None:
        before = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if looks and not self.passed.is_set() and self._text in before + data:
                    self.passed.set()
                    self._then()
                before = data[-len(self._text) :]
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _cut(self) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

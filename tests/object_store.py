"""A real S3 server on loopback, which can kill a client at any of its requests."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from pyarrow import fs
from werkzeug.serving import WSGIRequestHandler, make_server

Answer = Iterable[bytes]
Application = Callable[[dict[str, Any], Callable[..., Any]], Answer]


class ObjectStore:
    """A place on the server, and the server's own view of its requests."""

    def __init__(self, application: Application) -> None:
        self.bucket = f"tables-{secrets.token_hex(4)}"  # the server's memory is the process's
        self.url = f"s3a://{self.bucket}/site"
        self.copies = 0
        self._application = application
        self._lock = threading.Lock()
        self._left: int | None = None
        self._is_answered = False
        self._victim = 0
        self._armed = threading.Event()

    def kill_at(self, request: int | None, is_answered: bool = False) -> None:
        """Kill the victim at its request of this number; what that asks for is done, or is not."""
        self._left, self._is_answered = request, is_answered
        self._armed.clear()

    def aim_at(self, process_id: int) -> None:
        """Say whom to kill."""
        self._victim = process_id
        self._armed.set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Answer:
        """Serve a request."""
        with self._lock:
            self.copies += "HTTP_X_AMZ_COPY_SOURCE" in environ
            if self._left is not None:
                self._left -= 1
            is_last = self._left == 0
        if not is_last:
            return self._application(environ, start)
        if self._is_answered:
            self._application(environ, lambda *_: lambda _: None)
        self._armed.wait(10)
        os.kill(self._victim, signal.SIGKILL)
        start("500 Killed", [])
        return []


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Serve a connection, whose client may have been killed."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run a server with one empty bucket, and name it in the environment as a site would."""
    store = ObjectStore(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, store, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    named = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        made = fs.S3FileSystem(
            endpoint_override=named["AWS_ENDPOINT_URL"], allow_bucket_creation=True
        )
        made.create_dir(store.bucket)
        yield store
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        server.shutdown()
        thread.join()

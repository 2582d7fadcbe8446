"""A wire to PostgreSQL that can break at the worst moment: when a commit is done and not yet answered."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
"""PostgreSQL's message of a simple query."""


class Wire:
    """Passes bytes on between a free port and the database's."""

    def __init__(self, database: int) -> None:
        self._database = database
        self._cut = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._listener.close()

    def cut_at_commit(self) -> None:
        """The next commit reaches the database; its answer does not come back."""
        self._cut.set()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._database))
            threading.Thread(target=self._there, args=(client, server), daemon=True).start()
            threading.Thread(target=_pass, args=(server, client), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        while data := _receive(client):
            if COMMIT in data and self._cut.is_set():
                self._cut.clear()
                client.shutdown(socket.SHUT_RDWR)
                server.sendall(data)
                # The server ends the session when it has carried this out.
                server.sendall(b"X\0\0\0\x04")
                return
            server.sendall(data)
        server.close()


def _pass(source: socket.socket, target: socket.socket) -> None:
    while data := _receive(source):
        try:
            target.sendall(data)
        except OSError:
            return
    target.close()


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(1 << 16)
    except OSError:
        return b""

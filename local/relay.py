"""A relay from another address of this machine to its loopback, for as long as it is needed."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.environment import LOOPBACK

CHUNK = 1 << 16


class _Forwarder(socketserver.BaseRequestHandler):
    server: "_Relay"

    def handle(self) -> None:
        with socket.create_connection((LOOPBACK, self.server.target_port)) as target:
            peers = {self.request: target, target: self.request}
            while True:
                ready, _, _ = select.select(list(peers), [], [])
                for source in ready:
                    data = source.recv(CHUNK)
                    if not data:
                        return
                    peers[source].sendall(data)


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, host: str, target_port: int) -> None:
        self.target_port = target_port
        super().__init__((host, 0), _Forwarder)


@contextmanager
def relay(host: str, target_port: int) -> Iterator[int]:
    """Listens on a free port of `host` and passes connections on; yields that port.

    Raises OSError if `host` is not an address of this machine.
    """
    with _Relay(host, target_port) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()

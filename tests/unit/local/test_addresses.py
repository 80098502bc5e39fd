"""The API's address on this machine, and this machine's address as a container sees it."""

import json
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from local import invoke
from local.environment import LocalError
from local.outputs import local_api_url


def test_the_api_has_an_address_on_this_machine() -> None:
    on_aws = "https://a1b2c3.execute-api.ap-southeast-2.amazonaws.com/live/api/v1"
    here = local_api_url("http://127.0.0.1:4000", on_aws)
    assert here == "http://127.0.0.1:4000/_aws/execute-api/a1b2c3/live/api/v1"


def _networks(*configs: dict[str, str]) -> str:
    return json.dumps([{"IPAM": {"Config": configs}}])


@pytest.mark.parametrize(
    ("configs", "address"),
    [
        ([{"Subnet": "172.17.0.0/16"}], "172.17.0.1"),
        ([{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.254"}], "10.9.0.254"),
        ([{"Subnet": "fd00::/64"}, {"Subnet": "172.18.0.0/16"}], "172.18.0.1"),
    ],
)
def test_the_bridge_address(configs: Sequence[dict[str, str]], address: str) -> None:
    assert invoke.bridge_address(_networks(*configs)) == address


def test_a_bridge_without_ipv4_is_named() -> None:
    with pytest.raises(LocalError, match="IPv4"):
        invoke.bridge_address(_networks({"Subnet": "fd00::/64"}))


def test_an_endpoint_off_loopback_needs_no_relay() -> None:
    with invoke.reachable_from_containers("http://172.17.0.1:4000") as endpoint_url:
        assert endpoint_url == "http://172.17.0.1:4000"


def test_without_docker_the_person_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "_docker", lambda *_: None)
    with (
        pytest.raises(LocalError, match="docker is not running"),
        invoke.reachable_from_containers("http://127.0.0.1:4000"),
    ):
        pass


def _echo_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(connection.recv(100).upper())


def test_the_relay_passes_on_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Any = _networks({"Subnet": "127.0.0.0/8"})
    monkeypatch.setattr(invoke, "_docker", lambda *_: answers)
    with socket.create_server(("127.0.0.1", 0)) as server:
        echo = threading.Thread(target=_echo_once, args=(server,))
        echo.start()
        port = server.getsockname()[1]
        with invoke.reachable_from_containers(f"http://127.0.0.1:{port}") as endpoint_url:
            relayed = int(endpoint_url.rpartition(":")[2])
            assert relayed != port
            with socket.create_connection(("127.0.0.1", relayed), timeout=5) as client:
                client.sendall(b"hello")
                assert client.recv(100) == b"HELLO"
        echo.join()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relayed), timeout=5)

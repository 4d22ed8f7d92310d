"""A gateway that asks for tokens asks over gRPC as it does over REST."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import requests
from protocol_gateway import free_port
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def test_callers_without_a_token_are_turned_away(make_server: Callable[..., Any]) -> None:
    port = free_port()
    server = make_server(
        with_gateway=True, arguments=["--auth", "--gateway-grpc", f"127.0.0.1:{port}"]
    )
    created = server.run("token", "create", "ann", "--data", str(server.data))
    token = next(word for word in created.split() if len(word) > 20)
    server.wait_until(lambda: listens(port) and listens(server.gateway_port), "the gateway")
    request = messages.ModelInferRequest(model_name="nothing")
    load = messages.RepositoryModelLoadRequest(model_name="nothing")
    url = f"{server.gateway_url}/v2/repository/models/nothing/load"
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = services.GRPCInferenceServiceStub(channel)

        def status(method: Any, message: Any, *metadata: tuple[str, str]) -> grpc.StatusCode:
            with pytest.raises(grpc.RpcError) as refused:
                method(message, timeout=30, metadata=metadata)
            return refused.value.code()

        # Liveness is no secret.
        assert stub.ServerLive(messages.ServerLiveRequest(), timeout=30).live
        for method, message in (
            (stub.ModelInfer, request),
            (stub.ModelMetadata, messages.ModelMetadataRequest(name="nothing")),
            (stub.RepositoryIndex, messages.RepositoryIndexRequest()),
            (stub.RepositoryModelLoad, load),
        ):
            assert status(method, message) is grpc.StatusCode.UNAUTHENTICATED
            wrong = ("authorization", "Bearer wrong")
            assert status(method, message, wrong) is grpc.StatusCode.UNAUTHENTICATED
        # A stream is refused as a whole, before and behind its first message.
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            answers = stub.ModelStreamInfer(iter([request]), timeout=30, metadata=metadata)
            with pytest.raises(grpc.RpcError) as turned_away:
                next(answers)
            assert turned_away.value.code() is grpc.StatusCode.UNAUTHENTICATED
        bearer = ("authorization", f"Bearer {token}")
        answers = list(stub.ModelStreamInfer(iter([request]), timeout=30, metadata=(bearer,)))
        assert "nothing" in answers[0].error_message
        assert status(stub.ModelInfer, request, bearer) is grpc.StatusCode.NOT_FOUND
        assert status(stub.RepositoryModelLoad, load, bearer) is grpc.StatusCode.NOT_FOUND
    assert requests.post(url, timeout=30).status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.post(url, headers=headers, timeout=30).status_code == 404


def test_an_address_that_is_taken_or_open_to_all_is_refused(
    make_server: Callable[..., Any], tmp_path: Any
) -> None:
    server = make_server()
    said = server.run(
        *["gateway", "--data", str(tmp_path / "open"), "--grpc", "0.0.0.0:0"],
        *["--listen", "127.0.0.1:0"],
        status=2,
    )
    assert "--grpc 0.0.0.0:0 is not loopback" in said
    said = server.run(
        *["gateway", "--data", str(tmp_path / "taken"), "--listen", "127.0.0.1:0"],
        *["--grpc", f"127.0.0.1:{server.port}"],
        status=1,
    )
    assert f"127.0.0.1:{server.port}" in said and "--grpc" in said

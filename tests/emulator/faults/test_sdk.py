"""Each fault played against Microsoft's own SDK: what the device goes through, and what stands in the record."""

from __future__ import annotations

import contextlib
import http.client
import logging
import queue
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from azure.iot.device import IoTHubDeviceClient, MethodResponse, ProvisioningDeviceClient
from azure.iot.device.common.transport_exceptions import ConnectionDroppedError, NoConnectionError
from azure.iot.device.exceptions import ClientError, ConnectionFailedError, CredentialError
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod
from msrest.exceptions import HttpOperationError

from harness.emulator.fixtures import LocalCloud, LocalDps, LocalHub
from harness.emulator.fixtures.cloud import DEADLINE, Device
from harness.record.events import (
    BlobWritten,
    C2dSettled,
    DeviceRequestRefused,
    FaultPlayed,
    FileUploadEnded,
    FileUploadStarted,
    HandshakeFailed,
    HubConnected,
    HubDisconnected,
    MethodRequested,
    RegistrationAnswered,
    RegistrationPolled,
    RegistrationRequested,
    Subscribed,
    TelemetryReceived,
)

pytestmark = [
    pytest.mark.usefixtures("quick_sdk"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The SDK reports every failure with a traceback; here failures are the subject."""
    logger = logging.getLogger("azure.iot")
    level, logger.level = logger.level, logging.CRITICAL
    yield
    logger.level = level


def register(dps: LocalDps, device_id: str = "dev-1") -> Any:
    """Provision on the SDK; returns the registration state."""
    enrollment = dps.enroll(device_id)
    client = ProvisioningDeviceClient.create_from_symmetric_key(
        dps.host,
        device_id,
        dps.id_scope,
        enrollment.primary_key,
        server_verification_cert=dps.ca_path.read_text(),
    )
    try:
        return client.register().registration_state
    except ClientError:
        # After a refusal the SDK stays connected, and has no public way to end that.
        client._pipeline.shutdown(callback=lambda **_: None)  # type: ignore[no-untyped-call]
        raise


def client_of(hub: LocalHub, device: Device, **settings: Any) -> Any:
    return IoTHubDeviceClient.create_from_connection_string(
        device.connection_string, server_verification_cert=hub.ca_path.read_text(), **settings
    )


@contextlib.contextmanager
def connected(hub: LocalHub, device: Device) -> Iterator[Any]:
    client = client_of(hub, device)
    try:
        client.connect()
        yield client
    finally:
        client.shutdown()


def _connect_once(hub: LocalHub, device: Device) -> None:
    with connected(hub, device):
        pass


@pytest.fixture
def device(iot_hub: LocalHub) -> Device:
    return iot_hub.create_device("dev-1")


# --- DPS -------------------------------------------------------------------------------------------------


def test_throttled_with_and_without_retry_after(dps: LocalDps) -> None:
    dps.fault(at="register", do="error", code=429, retry_after=1)
    dps.fault(at="poll", do="error", code=429)
    dps.fault(at="poll", occurrence=2, do="error", code=500)
    assert register(dps).assigned_hub == dps.cloud.hub.host
    assert len(dps.seen(RegistrationRequested)) == 2
    assert [event.status for event in dps.seen(RegistrationAnswered)] == [429, 202, 429, 500, 200]
    assert [(event.at, event.detail) for event in dps.seen(FaultPlayed)] == [
        ("register", "429, retry-after 1"),
        ("poll", "429"),
        ("poll", "500"),
    ]


def test_a_refused_registration(dps: LocalDps) -> None:
    dps.fault(device="dev-1", at="register", do="error", code=401002)
    with pytest.raises(ClientError) as caught:
        register(dps)
    assert "401" in str(caught.value.__cause__)
    assert register(dps, "dev-2").device_id == "dev-2"


@pytest.mark.usefixtures("impatient_sdk")
def test_dps_falls_silent(dps: LocalDps) -> None:
    dps.fault(at="register", do="silence")
    with pytest.raises(ClientError) as caught:
        register(dps)
    assert "timed out" in str(caught.value.__cause__)


def test_dps_answers_late_and_twice(dps: LocalDps) -> None:
    dps.fault(at="dps-connect", do="delay", seconds=0.05)
    dps.fault(at="register", do="duplicate-delivery")
    dps.fault(at="poll", do="delay", seconds=0.05)
    assert register(dps).assigned_hub


def test_dps_refuses_the_connection(dps: LocalDps) -> None:
    dps.fault(at="dps-connect", do="connack", code=5)
    with pytest.raises(CredentialError):
        register(dps)


def test_dps_cuts_the_connection(dps: LocalDps) -> None:
    dps.fault(at="register", do="cut")
    with pytest.raises(ClientError):
        register(dps)
    assert register(dps).assigned_hub


@pytest.mark.usefixtures("impatient_sdk")
def test_an_answer_that_dps_has_nobody_to_send_to(dps: LocalDps) -> None:
    dps.fault(at="dps-subscribe", do="error")
    with pytest.raises(ClientError) as caught:
        register(dps)
    assert "timed out" in str(caught.value.__cause__)


def test_a_disabled_enrollment(dps: LocalDps) -> None:
    dps.fault(at="poll", do="disabled")
    with pytest.raises(ClientError) as caught:
        register(dps)
    assert "disabled" in str(caught.value.__cause__)


def test_a_reply_without_operation_id(dps: LocalDps) -> None:
    dps.fault(at="poll", do="poll-without-operation-id")
    assert register(dps).assigned_hub
    assert dps.seen(RegistrationPolled)
    assert b"operationId" not in dps.seen(RegistrationAnswered)[-1].payload


def test_a_clock_ahead_of_the_device(dps: LocalDps) -> None:
    dps.fault(at="dps-connect", do="clock-skew", seconds=7200)
    with pytest.raises(ClientError) as caught:
        register(dps)
    assert "401" in str(caught.value.__cause__)


# --- TLS -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["expired", "wrong-name", "unknown-ca"])
def test_a_bad_server_certificate(iot_hub: LocalHub, device: Device, kind: str) -> None:
    iot_hub.fault(at="tls", do="bad-certificate", kind=kind)
    with pytest.raises(ClientError) as caught:
        _connect_once(iot_hub, device)
    words = {"expired": "expired", "wrong-name": "not valid for|mismatch", "unknown-ca": "self.signed|issuer"}[kind]
    with pytest.raises(ssl.SSLCertVerificationError, match=f"(?i){words}"):
        raise _chain(caught.value)[-1]
    assert iot_hub.wait(HandshakeFailed)
    _connect_once(iot_hub, device)


@pytest.mark.parametrize("do", ["tls-refused", "cut"])
def test_tls_refused(iot_hub: LocalHub, device: Device, do: str) -> None:
    iot_hub.fault(at="tls", do=do)
    with pytest.raises(ConnectionFailedError):
        _connect_once(iot_hub, device)
    assert "fault plan" in iot_hub.wait(HandshakeFailed).reason
    _connect_once(iot_hub, device)


def test_a_handshake_that_is_never_answered(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="tls", do="silence")
    client = client_of(iot_hub, device, keep_alive=1)  # the SDK waits that long for a handshake
    with pytest.raises(ConnectionFailedError) as caught:
        client.connect()
    assert any(isinstance(error, TimeoutError) for error in _chain(caught.value))
    client.connect()
    client.shutdown()


def _chain(error: BaseException | None) -> list[BaseException]:
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__
    return chain


# --- the hub ---------------------------------------------------------------------------------------------


def test_the_hub_refuses_the_connection(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="connect", do="connack", code=3)
    iot_hub.fault(at="connect", occurrence=2, do="clock-skew", seconds=7200)
    iot_hub.fault(at="connect", occurrence=4, do="token-expires")
    # A client of its own for each: the SDK may blame a refusal on the attempt after it.
    with pytest.raises(ConnectionFailedError):
        _connect_once(iot_hub, device)
    with pytest.raises(CredentialError):
        _connect_once(iot_hub, device)
    _connect_once(iot_hub, device)
    with pytest.raises(CredentialError):
        _connect_once(iot_hub, device)
    codes = [(event.return_code, event.error_code) for event in iot_hub.seen(HubConnected)]
    assert codes == [(3, None), (5, 401003), (0, None), (5, 401003)]


def test_a_connection_cut_in_the_middle_of_telemetry(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="publish", do="cut")
    with connected(iot_hub, device) as client:
        # The SDK connects again and repeats it. It may report a failure all the same: Paho's other thread can see the
        # end of the socket before Paho's `publish` returns, which then says that there is no connection.
        _try(client.send_message, "1")
        assert iot_hub.wait(TelemetryReceived).payload == b"1"
    assert "fault plan" in iot_hub.wait(HubDisconnected).reason
    assert iot_hub.wait(HubConnected, count=2)


def test_acknowledgements_late_or_never(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="publish", do="silence")
    iot_hub.fault(at="publish", occurrence=2, do="delay", seconds=0.05)
    with connected(iot_hub, device) as client:
        lost = threading.Thread(target=lambda: _try(client.send_message, "lost"), daemon=True)
        lost.start()
        iot_hub.wait(FaultPlayed)
        client.send_message("late")
        assert iot_hub.wait(TelemetryReceived).payload == b"late"
        assert lost.is_alive()


def _try(call: Any, *arguments: Any) -> None:
    try:
        call(*arguments)
    except ClientError:
        return


def test_the_token_expires_in_the_middle(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="connect", do="token-expires", after=0.05)
    with connected(iot_hub, device):
        assert iot_hub.wait(HubDisconnected).error_code == 401003
        iot_hub.wait(HubConnected, count=2)


def test_errors_of_the_twin(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="twin-get", do="error", code=503)
    iot_hub.fault(at="twin-patch", do="error", code=429)
    with connected(iot_hub, device) as client:
        with pytest.raises(ClientError) as caught:
            client.get_twin()
        assert "503" in str(caught.value.__cause__)
        with pytest.raises(ClientError) as caught:
            client.patch_twin_reported_properties({"a": 1})
        assert "429" in str(caught.value.__cause__)
        client.patch_twin_reported_properties({"a": 2})
        assert client.get_twin()["reported"] == {"a": 2, "$version": 2}


def test_a_hub_that_moved(dps: LocalDps, iot_hub: LocalHub) -> None:
    enrollment = dps.enroll("dev-1")
    assert register(dps).assigned_hub == iot_hub.host
    key = iot_hub.cloud.emulator.call(lambda services: services.hub.registry.get("dev-1").primary_key)
    del enrollment
    device = Device("dev-1", f"HostName={iot_hub.host};DeviceId=dev-1;SharedAccessKey={key}", key)
    iot_hub.fault(at="twin-get", do="hub-moved", code=404)
    client = client_of(iot_hub, device)
    client.connect()
    threading.Thread(target=lambda: _try(client.get_twin), daemon=True).start()
    iot_hub.wait(HubConnected, lambda event: event.error_code == 404001)
    client.shutdown()
    with pytest.raises(CredentialError):
        _connect_once(iot_hub, device)
    register(dps)
    key = iot_hub.cloud.emulator.call(lambda services: services.hub.registry.get("dev-1").primary_key)
    device = Device("dev-1", f"HostName={iot_hub.host};DeviceId=dev-1;SharedAccessKey={key}", key)
    _connect_once(iot_hub, device)


def test_a_device_disabled_while_connected(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="connect", do="disabled", after=0.05)
    client = client_of(iot_hub, device)
    client.connect()
    assert iot_hub.wait(HubDisconnected).error_code == 403012
    iot_hub.wait(HubConnected, lambda event: event.error_code == 403012)
    client.shutdown()


def test_methods_lost_refused_and_doubled(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="method", do="error", code=404103)
    iot_hub.fault(at="method", occurrence=2, do="duplicate-delivery")
    registry = iot_hub.client(IoTHubRegistryManager)
    calls: list[str] = []
    twice = threading.Event()
    with connected(iot_hub, device) as client:

        def answer(request: Any) -> None:
            calls.append(request.request_id)
            client.send_method_response(MethodResponse.create_from_method_request(request, 200, None))
            if len(calls) == 2:
                twice.set()

        client.on_method_request_received = answer
        iot_hub.wait(Subscribed)
        with pytest.raises(HttpOperationError) as caught:
            registry.invoke_device_method("dev-1", CloudToDeviceMethod(method_name="reboot"))
        assert "404103" in caught.value.response.text
        assert registry.invoke_device_method("dev-1", CloudToDeviceMethod(method_name="reboot")).status == 200
        assert twice.wait(DEADLINE)
    assert len(set(calls)) == 1
    assert len(iot_hub.seen(MethodRequested)) == 1


def test_desired_properties_doubled_and_lost(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="desired", do="duplicate-delivery")
    iot_hub.fault(at="desired", occurrence=2, do="silence")
    got: list[Any] = []
    twice = threading.Event()
    with connected(iot_hub, device) as client:

        def take(patch: Any) -> None:
            got.append(patch["x"])
            if len(got) == 2:
                twice.set()

        client.on_twin_desired_properties_patch_received = take
        iot_hub.wait(Subscribed)
        for value in (1, 2):
            _desire(iot_hub.cloud, value)
        assert twice.wait(DEADLINE)
        assert got == [1, 1]
        assert client.get_twin()["desired"]["x"] == 2


def _desire(cloud: LocalCloud, value: int) -> None:
    def update(services: Any) -> None:
        services.hub.update_twin(services.hub.registry.get("dev-1"), {"properties": {"desired": {"x": value}}})

    cloud.emulator.call(update)


def test_a_subscription_refused_or_cut(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="subscribe", do="cut", after=0)
    with connected(iot_hub, device) as client:
        # The same race as with telemetry above; a setter lets the transport's own exception through.
        with contextlib.suppress(ClientError, NoConnectionError, ConnectionDroppedError):
            client.on_method_request_received = lambda request: None
        iot_hub.wait(HubDisconnected)
        assert iot_hub.wait(HubConnected, count=2).session_present


def test_a_subscription_that_fails_unnoticed(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="subscribe", do="error")
    registry = iot_hub.client(IoTHubRegistryManager)
    with connected(iot_hub, device) as client:
        client.on_method_request_received = lambda request: None  # the SDK takes a SUBACK of 0x80 for good
        iot_hub.wait(FaultPlayed)
        with pytest.raises(HttpOperationError) as caught:
            registry.invoke_device_method("dev-1", CloudToDeviceMethod(method_name="reboot"))
        assert "404103" in caught.value.response.text


def test_a_method_asked_and_answered_late(iot_hub: LocalHub, device: Device) -> None:
    for moment in ("method", "method-answer"):
        iot_hub.fault(at=moment, do="delay", seconds=0.05)
    registry = iot_hub.client(IoTHubRegistryManager)
    with connected(iot_hub, device) as client:
        client.on_method_request_received = lambda request: client.send_method_response(
            MethodResponse.create_from_method_request(request, 202, {"a": 1})
        )
        iot_hub.wait(Subscribed)
        answer = registry.invoke_device_method("dev-1", CloudToDeviceMethod(method_name="reboot"))
        assert (answer.status, answer.payload) == (202, {"a": 1})


def test_a_twin_that_answers_late_or_never(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="twin-get", do="silence")
    iot_hub.fault(at="twin-patch", do="delay", seconds=0.05)
    with connected(iot_hub, device) as client:
        lost = threading.Thread(target=lambda: _try(client.get_twin), daemon=True)
        lost.start()
        iot_hub.wait(FaultPlayed)
        client.patch_twin_reported_properties({"a": 1})
        assert client.get_twin()["reported"]["a"] == 1
        assert lost.is_alive()


# --- messages to the device ------------------------------------------------------------------------------


def test_messages_doubled_lost_and_late(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="c2d", do="duplicate-delivery")
    iot_hub.fault(at="c2d", occurrence=2, do="silence")
    iot_hub.fault(at="c2d", occurrence=3, do="delay", seconds=0.05)
    got: queue.Queue[bytes] = queue.Queue()
    with connected(iot_hub, device) as client:
        client.on_message_received = lambda message: got.put(message.data)
        iot_hub.wait(Subscribed)
        for text in (b"twice", b"lost", b"late"):
            _send(iot_hub.cloud, text)
        assert [got.get(timeout=DEADLINE) for _ in range(3)] == [b"twice", b"twice", b"late"]
        iot_hub.wait(C2dSettled, count=2)  # Paho acknowledges from its own thread, after the message was handed on
    # What was never delivered waits for the device.
    iot_hub.wait(HubDisconnected)
    assert iot_hub.twin("dev-1")["cloudToDeviceMessageCount"] == 1


def test_a_connection_cut_in_place_of_a_message(iot_hub: LocalHub, device: Device) -> None:
    iot_hub.fault(at="c2d", do="cut")
    got: queue.Queue[bytes] = queue.Queue()
    with connected(iot_hub, device) as client:
        client.on_message_received = lambda message: got.put(message.data)
        iot_hub.wait(Subscribed)
        _send(iot_hub.cloud, b"again")
        assert "fault plan" in iot_hub.wait(HubDisconnected).reason
        assert got.get(timeout=DEADLINE) == b"again"
        assert iot_hub.wait(C2dSettled).outcome == "Success"


def _send(cloud: LocalCloud, data: bytes) -> None:
    cloud.emulator.call(lambda services: services.hub.c2d.enqueue("dev-1", data))


# --- file upload -----------------------------------------------------------------------------------------


def test_file_uploads_refused_late_and_cut(iot_hub: LocalHub, device: Device) -> None:
    if iot_hub.cloud.endpoints.https_port != 443:
        pytest.skip(f"the SDK uploads on port 443 only: {iot_hub.cloud.endpoints.https_hint}")
    iot_hub.fault(at="file-upload", do="error", code=403006)
    iot_hub.fault(at="file-upload", occurrence=2, do="cut")
    iot_hub.fault(at="file-upload", occurrence=3, do="delay", seconds=0.05)
    iot_hub.fault(device="dev-1", at="blob", do="error", code=503)
    iot_hub.fault(at="file-notification", do="error", code=500)
    with connected(iot_hub, device) as client:
        for _ in range(2):
            with pytest.raises(ClientError):
                client.get_storage_info_for_blob("log.txt")
        link = client.get_storage_info_for_blob("log.txt")
        context = ssl.create_default_context(cafile=iot_hub.ca_path)
        assert [_put(link, context) for _ in range(2)] == [503, 201]
        with pytest.raises(ClientError):
            client.notify_blob_upload_status(link["correlationId"], True, 200, "done")
        client.notify_blob_upload_status(link["correlationId"], True, 200, "done")
    assert [event.error_code for event in iot_hub.seen(DeviceRequestRefused)] == [403006, 499000, 500001]
    assert iot_hub.seen(FileUploadEnded)[-1].success
    assert len(iot_hub.seen(FileUploadStarted)) == 1
    assert [(event.status, event.size) for event in iot_hub.seen(BlobWritten)] == [(503, 0), (201, 4)]


def _put(link: Any, context: ssl.SSLContext) -> int:
    """Put a blob as a storage SDK does; returns the status."""
    connection = http.client.HTTPSConnection(link["hostName"], timeout=DEADLINE, context=context)
    path = f"/{link['containerName']}/{link['blobName']}{link['sasToken']}"
    connection.request("PUT", path, b"line", {"x-ms-blob-type": "BlockBlob"})
    status = connection.getresponse().status
    connection.close()
    return status

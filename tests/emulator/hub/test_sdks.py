"""Microsoft's SDKs, unmodified: messages to devices, modules, twin limits, file upload; registry, queries, purge."""

from __future__ import annotations

import queue
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import X509, IoTHubDeviceClient, IoTHubModuleClient, Message, MethodResponse
from azure.iot.device.exceptions import ClientError
from azure.iot.hub import IoTHubHttpRuntimeManager, IoTHubRegistryManager
from azure.iot.hub.models import (
    CloudToDeviceMethod,
    ExportImportDevice,
    QuerySpecification,
    Twin,
    TwinProperties,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msrest.exceptions import HttpOperationError

from harness.emulator.hub.x509 import thumbprints
from harness.record.events import (
    BlobWritten,
    C2dDelivered,
    C2dReturned,
    C2dSettled,
    FileUploadEnded,
    HubConnected,
    HubDisconnected,
    ReportedPatched,
    Subscribed,
    TelemetryReceived,
)
from tests.addresses import free_address
from tests.emulator.watching import DEADLINE, Watcher


def service(kind: Any, running: Watcher) -> Any:
    client = kind.from_connection_string(running.endpoints.hub_connection_string)
    client.protocol.config.connection.verify = str(running.endpoints.ca_path)
    client.protocol.config.keep_alive = True
    return client


@pytest.fixture
def registry(running: Watcher) -> IoTHubRegistryManager:
    return service(IoTHubRegistryManager, running)


Connector = Callable[..., Any]


@pytest.fixture
def connect(running: Watcher) -> Iterator[Connector]:
    """Makes device and module clients by connection string, and shuts them down."""
    clients = []

    def make(device_id: str, module_id: str | None = None, **settings: Any) -> Any:
        identity = running.emulator.call(
            lambda s: s.hub.registry.find(device_id, module_id) or s.hub.put_device(device_id, {}, None)
        )
        parts = [f"HostName={running.endpoints.hub_host}", f"DeviceId={device_id}"]
        parts += [f"ModuleId={module_id}"] if module_id else []
        kind: Any = IoTHubModuleClient if module_id else IoTHubDeviceClient
        client = kind.create_from_connection_string(
            ";".join([*parts, f"SharedAccessKey={identity.primary_key}"]),
            server_verification_cert=running.endpoints.ca_path.read_text(),
            **settings,
        )
        clients.append(client)
        client.connect()
        return client

    yield make
    for client in clients:
        client.shutdown()


def listening(running: Watcher, topic: str) -> None:
    running.wait(Subscribed, lambda event: any(topic in wanted for wanted, _, _ in event.filters))


def test_messages_to_a_device(running: Watcher, connect: Connector, registry: IoTHubRegistryManager) -> None:
    client = connect("dev")
    got: queue.Queue[Any] = queue.Queue()
    client.on_message_received = got.put
    listening(running, "devicebound")
    system = {"mid": "m-1", "cid": "c-1", "ct": "application/json", "ce": "utf-8"}
    properties: dict[str, str | None] = {"colour": "dark red/blue", "iothub-ack": "full"}
    running.emulator.call(lambda s: s.hub.c2d.enqueue("dev", b'{"a":1}', system, properties))
    message = got.get(timeout=DEADLINE)
    assert (message.data, message.message_id, message.correlation_id) == (b'{"a":1}', "m-1", "c-1")
    assert (message.content_type, message.content_encoding, message.ack) == ("application/json", "utf-8", "full")
    assert message.custom_properties["colour"] == "dark red/blue"
    assert running.wait(C2dSettled).outcome == "Success"
    assert registry.get_device("dev").cloud_to_device_message_count == 0


def test_messages_wait_for_a_reconnect(running: Watcher, connect: Connector) -> None:
    client = connect("dev")
    got: queue.Queue[Any] = queue.Queue()
    client.on_message_received = got.put
    listening(running, "devicebound")
    client.disconnect()
    running.wait(HubDisconnected)
    running.emulator.call(lambda s: s.hub.c2d.enqueue("dev", b"later"))
    assert running.seen(C2dDelivered) == []
    client.connect()
    assert got.get(timeout=DEADLINE).data == b"later"
    assert running.wait(HubConnected, lambda event: event.session_present).return_code == 0
    running.wait(C2dSettled)
    assert running.seen(C2dReturned) == []


def test_purge(running: Watcher, connect: Connector) -> None:
    connect("dev")
    runtime = service(IoTHubHttpRuntimeManager, running)
    messages = runtime.protocol.cloud_to_device_messages
    running.emulator.call(lambda s: [s.hub.c2d.enqueue("dev", b"x") for _ in range(3)])
    purged = messages.purge_cloud_to_device_message_queue("dev")
    assert (purged.total_messages_purged, purged.device_id) == (3, "dev")
    assert runtime.receive_feedback_notification() is None


def test_a_module(running: Watcher, connect: Connector, registry: IoTHubRegistryManager) -> None:
    registry.create_device_with_sas("dev", "", "", "enabled")
    created = registry.create_module_with_sas("dev", "mod", "me", "", "")
    assert (created.module_id, created.managed_by) == ("mod", "me")
    client = connect("dev", "mod")
    assert running.wait(HubConnected).module_id == "mod"
    client.send_message(Message("1"))  # type: ignore[no-untyped-call]
    assert running.wait(TelemetryReceived).module_id == "mod"
    client.patch_twin_reported_properties({"a": 1})
    assert client.get_twin()["reported"] == {"a": 1, "$version": 2}
    twin = registry.update_module_twin("dev", "mod", Twin(properties=TwinProperties(desired={"b": 2})), "*")
    assert (twin.module_id, twin.properties.reported["a"]) == ("mod", 1)
    assert registry.get_module_twin("dev", "mod").properties.desired["b"] == 2

    def answer(request: Any) -> None:
        client.send_method_response(MethodResponse.create_from_method_request(request, 200, {"hi": request.name}))

    client.on_method_request_received = answer
    listening(running, "methods")
    result = registry.invoke_device_module_method("dev", "mod", CloudToDeviceMethod(method_name="go"))
    assert (result.status, result.payload) == (200, {"hi": "go"})
    assert [module.module_id for module in registry.get_modules("dev")] == ["mod"]
    client.disconnect()
    registry.delete_module("dev", "mod")
    assert registry.get_modules("dev") == []


def test_twin_limits(running: Watcher, connect: Connector) -> None:
    client = connect("dev")
    too_much = {str(n): "x" * 4096 for n in range(9)}
    deep: dict[str, Any] = {"end": 1}
    for _ in range(11):
        deep = {"level": deep}
    for patch in ({"a": 2**53}, {"a": "x" * 4097}, {"a$": 1}, {"a b": 1}, deep, too_much):
        with pytest.raises(ClientError):
            client.patch_twin_reported_properties(patch)
    client.patch_twin_reported_properties({"list": [1, {"x": "y"}], "gone": 1})
    client.patch_twin_reported_properties({"gone": None})
    assert client.get_twin()["reported"] == {"list": [1, {"x": "y"}], "$version": 3}
    assert [event.status for event in running.seen(ReportedPatched)] == [400] * 5 + [403, 204, 204]


def test_queries_and_statistics(running: Watcher, connect: Connector, registry: IoTHubRegistryManager) -> None:
    connect("dev-1")
    registry.create_device_with_certificate_authority("dev-2", "disabled")
    registry.update_twin("dev-1", Twin(tags={"site": "north"}), "*")
    found = registry.query_iot_hub(QuerySpecification(query="SELECT * FROM devices"), None, 1)
    assert [twin.device_id for twin in found.items] == ["dev-1"]
    more = registry.query_iot_hub(QuerySpecification(query="SELECT * FROM devices"), found.continuation_token, 1)
    assert ([twin.device_id for twin in more.items], more.continuation_token) == (["dev-2"], None)
    where = "tags.site = 'north' AND connectionState = 'Connected'"
    found = registry.query_iot_hub(QuerySpecification(query=f"SELECT * FROM devices WHERE {where}"))
    assert [twin.tags for twin in found.items] == [{"site": "north"}]
    statistics = registry.get_device_registry_statistics()
    assert (statistics.total_device_count, statistics.disabled_device_count) == (2, 1)
    assert registry.get_service_statistics().connected_device_count == 1
    with pytest.raises(HttpOperationError) as caught:
        registry.query_iot_hub(QuerySpecification(query="SELECT nothing"))
    assert "character" in caught.value.response.text


def test_bulk(registry: IoTHubRegistryManager) -> None:
    devices = [ExportImportDevice(id=name, import_mode="create", status="enabled") for name in ("a", "b")]
    assert registry.bulk_create_or_update_devices(devices).is_successful
    changes = [ExportImportDevice(id="a", import_mode="delete"), ExportImportDevice(id="c", import_mode="update")]
    result = registry.bulk_create_or_update_devices(changes)
    assert (result.is_successful, [error.error_code for error in result.errors]) == (False, ["DeviceNotFound"])
    assert [device.device_id for device in registry.get_devices()] == ["b"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bytes]:
    """A self-signed certificate: PEM of certificate and of key, and DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dev-1")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file, made.public_bytes(Encoding.DER)


@pytest.mark.parametrize("by_certificate", [False, True], ids=["key", "x509"])
def test_file_upload(
    start: Callable[..., Watcher], certificate: tuple[Path, Path, bytes], by_certificate: bool
) -> None:
    running = start(address=free_address(443))
    if running.endpoints.https_port != 443:
        pytest.skip(f"SDKs upload files over port 443: {running.endpoints.https_hint}")
    cert_file, key_file, der = certificate
    x509_body = {"authentication": {"x509Thumbprint": {"primaryThumbprint": thumbprints(der)[1]}}}
    body = x509_body if by_certificate else {}
    device = running.emulator.call(lambda s: s.hub.put_device("dev-1", body, None))
    trusted = running.endpoints.ca_path.read_text()
    host = running.endpoints.hub_host
    client: Any
    if by_certificate:
        shown = X509(str(cert_file), str(key_file))  # type: ignore[no-untyped-call]
        client = IoTHubDeviceClient.create_from_x509_certificate(shown, host, "dev-1", server_verification_cert=trusted)
    else:
        client = IoTHubDeviceClient.create_from_symmetric_key(
            device.primary_key, host, "dev-1", server_verification_cert=trusted
        )
    client.connect()
    assert running.wait(HubConnected).authentication == ("x509" if by_certificate else "sas")
    link = client.get_storage_info_for_blob("logs/today.txt")
    assert link["hostName"] == host
    url = f"https://{link['hostName']}/{link['containerName']}/{link['blobName']}{link['sasToken']}"
    request = urllib.request.Request(url, b"hello", {"x-ms-blob-type": "BlockBlob"}, method="PUT")
    with urllib.request.urlopen(request, context=running.tls(), timeout=DEADLINE) as answer:
        assert answer.status == 201
    client.notify_blob_upload_status(link["correlationId"], True, 200, "done")
    assert running.wait(BlobWritten).size == 5
    assert running.wait(FileUploadEnded).success
    with pytest.raises(ClientError):
        client.notify_blob_upload_status("unknown", True, 200, "done")
    client.shutdown()

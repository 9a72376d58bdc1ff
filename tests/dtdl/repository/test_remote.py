"""Models from the network, through the client library: real sockets on this machine."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.dtdl.repository import ModelNotFound, Repository
from tests.dtdl.repository.models import CONTROLLER, THERMOSTAT, controller, put, put_expanded, serving, thermostat


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_model_comes_over_http_with_what_it_depends_on(tmp_path: Path) -> None:
    put(tmp_path, controller(), thermostat())
    with serving(tmp_path) as (url, asked), Repository([url]) as repository:
        resolved = repository.resolve(CONTROLLER)
    assert set(resolved.documents) == {CONTROLLER, THERMOSTAT}
    assert resolved.location == url
    assert asked == ["/metadata.json", "/dtmi/com/example/controller-2.json", "/dtmi/com/example/thermostat-1.json"]


def test_a_location_may_have_a_path(tmp_path: Path) -> None:
    put(tmp_path / "models", thermostat())
    with serving(tmp_path) as (url, _), Repository([f"{url}/models"]) as repository:
        assert repository.resolve(THERMOSTAT).location == f"{url}/models"


def test_the_expanded_form_saves_requests_where_metadata_promises_it(tmp_path: Path) -> None:
    put(tmp_path, controller(), thermostat())
    put_expanded(tmp_path, controller(), thermostat())
    (tmp_path / "metadata.json").write_text('{"features": {"expanded": true}}', encoding="utf-8")
    with serving(tmp_path) as (url, asked), Repository([url]) as repository:
        assert set(repository.resolve(CONTROLLER).documents) == {CONTROLLER, THERMOSTAT}
    assert asked == ["/metadata.json", "/dtmi/com/example/controller-2.expanded.json"]


def test_a_promise_not_kept_falls_back(tmp_path: Path) -> None:
    put(tmp_path, thermostat())
    (tmp_path / "metadata.json").write_text('{"features": {"expanded": true}}', encoding="utf-8")
    with serving(tmp_path) as (url, asked), Repository([url]) as repository:
        repository.resolve(THERMOSTAT)
    assert asked[-1] == "/dtmi/com/example/thermostat-1.json"


def test_a_miss_says_404(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, _), Repository([url]) as repository, pytest.raises(ModelNotFound) as caught:
        repository.resolve(THERMOSTAT)
    assert caught.value.tried == ((f"{url}/dtmi/com/example/thermostat-1.json", "not found (404)"),)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<!doctype html>\n<p>Log in</p>", "an HTML page, perhaps of a proxy"),
        ('{"@id": "dtmi:other;1"}', "its @id is dtmi:other;1"),
        ('{"name": 1}', "no DTDL"),
        ("[1]", "a number where"),
        ('{"@id": NaN}', "NaN"),
    ],
)
def test_an_answer_that_is_no_model_is_passed_over(tmp_path: Path, body: str, why: str) -> None:
    put(tmp_path / "web", thermostat()).write_text(body, encoding="utf-8")
    put(tmp_path / "local", thermostat())
    with serving(tmp_path / "web") as (url, _):
        with pytest.raises(ModelNotFound, match=why):
            Repository([url]).resolve(THERMOSTAT)
        assert Repository([url, tmp_path / "local"]).resolve(THERMOSTAT).location == str(tmp_path / "local")


def test_a_machine_without_network_says_so_and_asks_once(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    put(tmp_path, controller())
    with pytest.raises(ModelNotFound) as caught:
        Repository([url, tmp_path]).resolve(CONTROLLER)
    assert dict(caught.value.tried)[f"{url}/dtmi/com/example/thermostat-1.json"] == "no connection: refused"
    assert "needs a connection" in str(caught.value)


def test_a_silent_server_is_left_after_the_time_out(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ModelNotFound, match=r"no answer within 0\.2 s"):
            Repository([url], timeout=0.2).resolve(THERMOSTAT)


def test_a_server_that_hangs_up(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        with pytest.raises(ModelNotFound, match="no connection"):
            Repository([f"http://127.0.0.1:{listener.getsockname()[1]}"]).resolve(THERMOSTAT)
        thread.join()


def test_https_with_a_trusted_and_an_unknown_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    put(tmp_path / "models", thermostat())
    with serving(tmp_path / "models", context) as (url, _):
        with pytest.raises(ModelNotFound, match="certificate is not trusted"):
            Repository([url]).resolve(THERMOSTAT)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert Repository([url]).resolve(THERMOSTAT).location == url


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    key_text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(key_text + made.public_bytes(serialization.Encoding.PEM))
    return path

"""Connection strings as they arrive: whole, cut, quoted, of the wrong kind. No key is ever said."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.azure.connection_strings import (
    ConnectionStringError,
    DpsConnection,
    EventHubConnection,
    HubConnection,
    parse_dps,
    parse_event_hub,
    parse_hub,
)
from harness.emulator.tokens import parse_token

KEY = base64.b64encode(bytes(range(32))).decode()
HUB = f"HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}"
DPS = (
    f"HostName=mydps.azure-devices-provisioning.net;SharedAccessKeyName=provisioningserviceowner;SharedAccessKey={KEY}"
)
EVENTS = f"Endpoint=sb://ihsuproddb.servicebus.windows.net/;SharedAccessKeyName=service;SharedAccessKey={KEY};EntityPath=iothub-ehub-my"
DEVICE = f"HostName=myhub.azure-devices.net;DeviceId=pump-1;SharedAccessKey={KEY}"
STORAGE = f"DefaultEndpointsProtocol=https;AccountName=mine;AccountKey={KEY};EndpointSuffix=core.windows.net"


def test_a_hub() -> None:
    hub = parse_hub(HUB)
    assert hub == HubConnection("myhub.azure-devices.net", "iothubowner", KEY)
    assert (hub.hostname, hub.port, hub.text) == ("myhub.azure-devices.net", None, HUB)


def test_a_dps() -> None:
    assert parse_dps(DPS) == DpsConnection("mydps.azure-devices-provisioning.net", "provisioningserviceowner", KEY)


def test_an_event_hub() -> None:
    found = parse_event_hub(EVENTS)
    assert found == EventHubConnection("ihsuproddb.servicebus.windows.net", None, "service", KEY, "iothub-ehub-my")
    assert found.text == EVENTS


@pytest.mark.parametrize(
    ("host", "hostname", "port"),
    [("localhost:8443", "localhost", 8443), ("[::1]:443", "::1", 443), ("127.0.3.4", "127.0.3.4", None)],
)
def test_a_host_of_the_local_emulator(host: str, hostname: str, port: int | None) -> None:
    hub = parse_hub(HUB.replace("myhub.azure-devices.net", host))
    assert (hub.host, hub.hostname, hub.port) == (host, hostname, port)
    events = parse_event_hub(EVENTS.replace("ihsuproddb.servicebus.windows.net", host))
    assert (events.host, events.port) == (hostname, port)


@pytest.mark.parametrize(
    "text", [f'"{HUB}"', f"  {HUB};\n", HUB.lower().replace(KEY.lower(), KEY), "; ".join(reversed(HUB.split(";")))]
)
def test_what_a_clipboard_adds_does_no_harm(text: str) -> None:
    assert parse_hub(text) == parse_hub(HUB)


def test_the_token_holds_at_the_emulator() -> None:
    token = parse_token(parse_hub(HUB).token(2_000_000_000))
    assert token.signed_by([KEY])
    assert (token.resource, token.key_name) == ("myhub.azure-devices.net", "iothubowner")


CASES = [
    ("hub", "", "it is empty"),
    ("hub", "HostName=myhub.azure-devices.net", "a shell cuts it at the first `;`"),
    ("hub", HUB.replace(";SharedAccessKeyName=iothubowner", ""), "it lacks SharedAccessKeyName"),
    ("hub", HUB.replace(KEY, ""), "SharedAccessKey is empty"),
    ("hub", HUB.replace("SharedAccessKeyName", "SharedAcessKeyName"), "SharedAcessKeyName is misspelt"),
    ("hub", HUB.replace("HostName", "Host Name"), "it lacks HostName"),
    ("hub", HUB.replace(KEY, KEY[:-5]), "its end is missing"),
    ("hub", HUB.replace(KEY, "AAAA"), "3 bytes"),
    ("hub", HUB.replace(KEY, KEY.replace("=", "%3D")), "percent-encoded"),
    ("hub", HUB.replace(KEY, "*" + KEY[1:]), "not base64"),
    ("hub", HUB.replace(KEY, "<key>"), "SharedAccessKey still holds a placeholder"),
    ("hub", HUB.replace("myhub.azure-devices.net", "{your hub}"), "HostName still holds a placeholder"),
    ("hub", HUB.replace("HostName=", "HostName=https://"), "without https://"),
    ("hub", HUB.replace(".net;", ".net/x;"), "HostName is no host name"),
    ("hub", HUB.replace(".net;", ".net:99999;"), "ports are 1 to 65535"),
    ("hub", HUB + ";HostName=other.azure-devices.net", "HostName is in it twice"),
    ("hub", HUB.replace(";Shared", ";\nShared", 1), "line break"),
    ("hub", DEVICE, "a device's own"),
    ("hub", DEVICE + ";ModuleId=m", "a module's own"),
    ("hub", DPS, "it is that of a DPS"),
    ("hub", DPS.replace("mydps.azure-devices-provisioning.net", "localhost:8443"), "it is that of a DPS"),
    ("hub", EVENTS, "an Event Hubs endpoint"),
    ("hub", STORAGE, "a storage account"),
    ("hub", "SharedAccessSignature sr=x&sig=y&se=1", "it is a token"),
    ("hub", f"HostName=h.azure-devices.net;SharedAccessSignature=sr-{KEY}", "carries a token"),
    ("hub", KEY, "none of the parts"),
    ("dps", HUB, "it is that of an IoT Hub"),
    ("dps", HUB.replace("myhub.azure-devices.net", "localhost:8443"), "it is that of an IoT Hub"),
    ("dps", DPS.replace("mydps", "global"), "your own instance"),
    ("dps", EVENTS, "an Event Hubs endpoint"),
    ("events", HUB, "an IoT Hub's or a DPS's"),
    ("events", DEVICE, "it is a device's"),
    ("events", EVENTS.rpartition(";")[0], "it lacks EntityPath"),
    ("events", EVENTS.replace("sb://", "https://"), "sb://"),
    ("events", EVENTS.replace(KEY, KEY + " x"), "characters that no key has"),
]
PARSERS: dict[str, Callable[[str], HubConnection | DpsConnection | EventHubConnection]] = {
    "hub": parse_hub,
    "dps": parse_dps,
    "events": parse_event_hub,
}


@pytest.mark.parametrize(("kind", "text", "said"), CASES)
def test_what_is_wrong_is_said_and_no_key(kind: str, text: str, said: str) -> None:
    with pytest.raises(ConnectionStringError) as caught:
        PARSERS[kind](text)
    message = str(caught.value)
    assert said in message
    assert KEY[:12] not in message


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(PARSERS)),
    st.text() | st.lists(st.sampled_from([*HUB.split(";"), *EVENTS.split(";"), "=", ";", "DeviceId=x"])).map(";".join),
)
def test_any_text_is_read_or_refused(kind: str, text: str) -> None:
    try:
        found = PARSERS[kind](text)
    except ConnectionStringError as error:
        said = str(error)
    else:
        said = repr(found)
        assert PARSERS[kind](found.text) == found
    assert KEY not in said

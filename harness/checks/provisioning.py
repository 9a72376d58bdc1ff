"""Registering through DPS, connecting to the hub, and announcing the model in both."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.checks import attestation, causes, requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, NotObservable, check, finding
from harness.checks.seeing import service_failed
from harness.dtdl import decode
from harness.record import events as ev
from harness.verdict import Finding, Severity

_DTMI = re.compile(r"dtmi:[A-Za-z](?:\w*[A-Za-z0-9])?(?::[A-Za-z](?:\w*[A-Za-z0-9])?)*;[1-9][0-9]{0,8}", re.ASCII)


@check(requirements.DPS, stage=0)
def registers_through_dps(evidence: Evidence) -> Findings:
    """The device gets a hub assigned by DPS."""
    assigned = evidence.first(ev.DeviceAssigned)
    if assigned:
        return assigned[0]
    if evidence.connected:
        if not evidence.shows("registration") and not evidence.shows("wire"):
            raise NotObservable(
                "This run has no access to DPS, so it does not see whether the device registers: name the instance "
                "(PREFLIGHT_DPS_CONNECTION_STRING), or use the local target."
            )
        yield finding(
            requirements.DPS,
            "dps-not-used",
            "The device connected to the hub without registering through DPS in this run.",
            expected="a registration through DPS",
            actual="a direct connection to the hub",
            events=(evidence.connected[0],),
            remedy="Restart provisioning on the device: clear the cached assignment and reboot it.",
        )
        return evidence.connected[0]
    if evidence.first(ev.RunInterrupted):
        raise Blocked(causes.why_not_connected(evidence))
    cause = causes.cause_of_no_connection(evidence)
    yield finding(
        requirements.DPS,
        cause.code,
        cause.text + cause.tail,
        expected="a registration through DPS that ends in `assigned`",
        actual="none",
        events=cause.events,
        remedy=cause.remedy or "Correct what is named above and start the pre-flight again.",
    )
    return None


@check(requirements.DTDL, stage=0)
def model_id_in_dps_payload(evidence: Evidence) -> Findings:
    """The register request carries `{"modelId": ...}` in its payload."""
    if not evidence.shows("dps-payload"):
        raise NotObservable(
            "Azure does not show the DPS payload; the local target does (--target local), and Azure itself with the "
            "allocation webhook (docs/webhook.md)."
        )
    requested = attestation.requests(evidence)
    if not requested and evidence.first(ev.DeviceAssigned) and not evidence.shows("wire"):
        raise NotObservable(
            "The device was assigned, and the allocation webhook left nothing in the tags of its twin: see that "
            "--webhook is the pre-flight's own, of this version, and read its log (docs/webhook.md). The local target "
            "shows the payload without it."
        )
    if not requested:
        raise Blocked(causes.cause_before(evidence, 2) or "The device sent no register request.")
    all_ = _all_requests(evidence, requested)
    n, event = next(((n, e) for n, e in all_ if _payload_model_id(e.payload) is None), requested[-1])
    found = _payload_model_id(event.payload)
    if found is None:
        without = sum(_payload_model_id(e.payload) is None for _, e in all_)
        yield finding(
            requirements.DTDL,
            "dps-payload-without-model-id",
            "The register request to DPS does not carry the model id."
            if without == len(all_)
            else f"{without} of {len(all_)} register requests to DPS do not carry the model id.",
            expected='a body with "payload": {"modelId": "<DTMI>"}',
            actual=event.payload.decode("utf-8", "replace")[:500] or "an empty body",
            events=(n,),
            remedy="Set the provisioning payload before registering (Python: provisioning_payload; "
            "Node: setProvisioningPayload; C: Prov_Device_Set_Provisioning_Payload).",
        )
    elif not _DTMI.fullmatch(found):
        yield _not_a_dtmi(found, n, "DPS payload")
    return n


def _all_requests(
    evidence: Evidence, requested: list[tuple[int, ev.RegistrationRequested]]
) -> list[tuple[int, ev.RegistrationRequested]]:
    """Those of the trials too: a device that comes back registers as at first. A TPM's last one alone has a payload."""
    enrolled = evidence.final(ev.DeviceEnrolled)
    if enrolled is not None and enrolled[1].attestation == "tpm":
        return requested[-1:]
    return requested + [each for trial in evidence.trials.values() for each in attestation.requests(trial)]


@check(requirements.DTDL, stage=1)
def connects_to_hub(evidence: Evidence) -> Findings:
    """The device connects to its assigned hub by MQTT or MQTT over WebSockets."""
    if evidence.connected:
        mute = causes.cause_of_silence(evidence)
        if mute is not None:
            yield finding(
                requirements.DTDL,
                mute.code,
                mute.text,
                expected="a device that takes part",
                actual="a connection, and nothing on it",
                events=mute.events,
                remedy=mute.remedy,
            )
        return evidence.connected[0]
    if evidence.first(ev.RunInterrupted):
        raise Blocked(causes.why_not_connected(evidence))
    cause = causes.cause_of_no_connection(evidence)
    yield finding(
        requirements.DTDL,
        cause.code,
        cause.text + cause.tail,
        expected="an accepted CONNECT to the assigned hub",
        actual="none",
        events=cause.events,
        remedy=cause.remedy or "Reboot the device and restart provisioning.",
    )
    return None


@check(requirements.DTDL, stage=2)
def model_id_announced_to_hub(evidence: Evidence) -> Findings:
    """The CONNECT to the hub carries `model-id`."""
    if not evidence.shows("wire"):
        raise NotObservable(
            "Azure does not show the CONNECT packet, which the local target does; the digital twin's model id stands "
            "for it."
        )
    all_ = _connections(evidence)
    without = [(n, e) for n, e in all_ if not e.model_id]
    n, event = without[0] if without else all_[0]
    if not event.model_id:
        yield finding(
            requirements.DTDL,
            "connect-without-model-id",
            "The connection to the hub does not announce the model id."
            if len(without) == len(all_)
            else f"{len(without)} of {len(all_)} connections to the hub do not announce the model id.",
            expected="model-id=<DTMI> in the MQTT user name",
            actual=event.raw_user_name,
            events=(n,),
            remedy="Give the model id to the device client when it is made (Python: product_info=<DTMI>; Node: "
            "setOptions({modelId}); C: OPTION_MODEL_ID). The DPS payload alone does not announce it to the hub.",
        )
    elif not _DTMI.fullmatch(event.model_id):
        yield _not_a_dtmi(event.model_id, n, "CONNECT")
    return n


@check(requirements.DTDL, stage=2)
def model_ids_agree(evidence: Evidence) -> Findings:
    """The model id is the same in the DPS payload, in the CONNECT and in the settings."""
    places: dict[str, str] = {}
    events: list[int] = []
    requested = attestation.requests(evidence)
    if requested and (sent := _payload_model_id(requested[-1][1].payload)):
        places["DPS payload"] = sent
        events.append(requested[-1][0])
    announced = [(n, e.model_id) for n, e in _connections(evidence) if e.model_id]
    for place, (n, found) in zip(("hub CONNECT", "a later CONNECT"), _different(announced), strict=False):
        places[place] = found
        events.append(n)
    if not places and not evidence.shows("wire"):
        raise NotObservable("Neither the DPS payload nor the twin shows a model id; the local target shows both.")
    if not places:
        raise Blocked("The device announced no model id that could be compared.")
    if evidence.model_id:
        places["settings"] = evidence.model_id
    if len(set(places.values())) > 1:
        yield finding(
            requirements.DTDL,
            "model-ids-differ",
            "The device announces another model than it is tested against, or two different ones.",
            expected="one model id everywhere (ids are case-sensitive)",
            actual="; ".join(f"{place}: {dtmi}" for place, dtmi in places.items()),
            events=tuple(events),
            remedy="Announce one root model id in the DPS payload and in the CONNECT, and give that one to --model-id.",
        )
    return max(events, default=None)


@check(requirements.DTDL, stage=2)
def digital_twin_names_model(evidence: Evidence) -> Findings:
    """The model id is read back from the digital twin."""
    read = evidence.final(ev.DigitalTwinRead)
    if read is None:
        raise Blocked("The digital twin was not read before the run ended.")
    n, event = read
    if event.twin is None and service_failed(event.error):
        raise Blocked(f"The digital twin could not be read: {event.error}")
    if event.twin is None:
        yield finding(
            requirements.DTDL,
            "digital-twin-unreadable",
            f"Failed to get Digital Twin Model ID of device {event.device_id}: {event.error}",
            expected="a digital twin",
            actual=event.error,
            events=(n,),
            remedy="Reboot the device and restart provisioning.",
        )
        return n
    metadata = event.twin.get("$metadata")
    found = metadata.get("$model") if isinstance(metadata, Mapping) else None
    expected = evidence.model_id or ""
    if not found and evidence.shows("wire") and not _connection(evidence)[1].model_id:
        raise Blocked("The connection to the hub announced no model id, so the digital twin cannot name it.")
    if not found or (expected and found != expected):
        yield finding(
            requirements.DTDL,
            "digital-twin-model-id",
            "The digital twin does not name the device's model.",
            expected=expected or "a model id",
            actual=str(found or "none"),
            events=(n,),
            remedy="Announce the model id in the CONNECT to the hub; reconnect after changing it.",
        )
    return n


def _different(announced: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The first, and the first that differs from it."""
    return announced[:1] + [each for each in announced[1:] if each[1] != announced[0][1]][:1]


def _connections(evidence: Evidence) -> list[tuple[int, ev.HubConnected]]:
    """All accepted ones of the device (or module) that connected first, those of the trials included."""
    _, first = _connection(evidence)
    found = [each for part in (evidence, *evidence.trials.values()) for each in part.of(ev.HubConnected)]
    who = (first.device_id, first.module_id)
    return [(n, e) for n, e in found if e.return_code == 0 and (e.device_id, e.module_id) == who]


def _connection(evidence: Evidence) -> tuple[int, ev.HubConnected]:
    connected = evidence.connected
    if connected is None:
        raise Blocked(causes.why_not_connected(evidence))
    return connected


def _payload_model_id(body: bytes) -> str | None:
    value, problems = decode(body)
    payload = value.get("payload") if not problems and isinstance(value, Mapping) else None
    found = payload.get("modelId") if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) and found else None


def _not_a_dtmi(found: str, n: int, place: str) -> Finding:
    return finding(
        requirements.DTDL,
        "model-id-malformed",
        f"The model id in the {place} is not a DTMI with a version.",
        severity=Severity.ERROR,
        expected="dtmi:<segments separated by colons>;<version>",
        actual=found,
        events=(n,),
        remedy="Write the model id as its Interface does, from `dtmi:` to the version after the semicolon.",
    )

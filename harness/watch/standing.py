"""How a device stands with its services: provisioned or why not, connected or not, and what to do about it. Pure.

The states are IoT Central's, which `preflight explain` knows too: Provisioned, Registered (never connected), Blocked,
Unapproved, Unassigned (no model id, so no device template).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.diagnosis import lookup

Json = Mapping[str, Any]
_NEVER = "0001-01-01"
"""How a hub begins the date of what never happened."""
_UNAPPROVED = 400209


@dataclass(frozen=True, slots=True)
class Facts:
    """What was asked and answered. None is "there is none"; a `…_unasked` text says why nothing is known.

    `registration` is DPS's DeviceRegistrationState, `enrollment` its IndividualEnrollment, `twin` the hub's twin.
    `refused` is the service's last refusal of a registration, where it is known.
    """

    device_id: str
    registration_id: str
    registration: Json | None = None
    enrollment: Json | None = None
    twin: Json | None = None
    hub: str = ""
    dps_unasked: str = ""
    hub_unasked: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to mend: a short name for programs, what is the matter, and what to do."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Standing:
    """`rows` are what is shown, in order; `state` is empty where too little is known."""

    facts: Facts
    state: str
    rows: tuple[tuple[str, str], ...]
    troubles: tuple[Trouble, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)

    def document(self) -> dict[str, Any]:
        """The same for a program."""
        facts, twin = self.facts, self.facts.twin or {}
        properties = twin.get("properties") or {}
        return {
            "device": facts.device_id,
            "registrationId": facts.registration_id,
            "state": self.state or None,
            "registration": None if facts.registration is None else _chosen(facts.registration, _REGISTRATION),
            "enrollment": None if facts.enrollment is None else _chosen(facts.enrollment, _ENROLLMENT),
            "hub": None if facts.twin is None else {"host": facts.hub, **_chosen(twin, _HUB)},
            "modelId": twin.get("modelId") or None,
            "twin": {name: (properties.get(name) or {}).get("$version") for name in ("desired", "reported")},
            "unasked": {"dps": facts.dps_unasked or None, "hub": facts.hub_unasked or None},
            "notes": list(self.notes),
            "troubles": [{"code": t.code, "message": t.message, "remedy": t.remedy} for t in self.troubles],
        }


_REGISTRATION = (
    "status",
    "substatus",
    "assignedHub",
    "deviceId",
    "errorCode",
    "errorMessage",
    "createdDateTimeUtc",
    "lastUpdatedDateTimeUtc",
)
_ENROLLMENT = ("registrationId", "deviceId", "provisioningStatus")
_HUB = (
    "status",
    "statusReason",
    "connectionState",
    "connectionStateUpdatedTime",
    "lastActivityTime",
    "authenticationType",
)


def standing(facts: Facts) -> Standing:
    """How the device stands."""
    troubles = (*_of_dps(facts), *_of_hub(facts))
    state = _state(facts)
    if not troubles and state in ("Registered", "Unassigned"):
        troubles = (_by_state(state),)
    return Standing(facts, state, tuple(_rows(facts, state)), tuple(troubles), tuple(_notes(facts)))


_OWN_WORDS = {
    "Registered": "It is known here and has never connected.",
    "Unassigned": "It announced no model id, so nothing can tell what its data means.",
}
"""Where the catalogue speaks of IoT Central alone."""


def explained(state: str) -> tuple[str, str]:
    """What `preflight explain` says of a state: its meaning, and what the maker does."""
    entry = lookup(state, "central")
    return (entry.meaning, entry.maker) if entry else ("", "")


def _state(facts: Facts) -> str:
    status, code = _status(facts), (facts.registration or {}).get("errorCode")
    if status == "failed" and code == _UNAPPROVED:
        return "Unapproved"
    if status == "disabled" or _disabled(facts.enrollment, "provisioningStatus") or _disabled(facts.twin, "status"):
        return "Blocked"
    if status in ("failed", "assigning") or (facts.twin is None and facts.hub_unasked):
        return ""
    if facts.twin is None:
        return "Registered" if facts.enrollment is not None and status != "assigned" else ""
    if not _ever(facts.twin.get("lastActivityTime")) and facts.twin.get("connectionState") != "Connected":
        return "Registered"
    return "Provisioned" if facts.twin.get("modelId") else "Unassigned"


def _of_dps(facts: Facts) -> Iterator[Trouble]:
    if facts.dps_unasked:
        return
    found, status = facts.registration or {}, _status(facts)
    if status == "failed":
        code = str(found.get("errorCode") or "")
        said = f" with error {code}" if code else ""
        message = str(found.get("errorMessage") or "")
        entry = lookup(code, "dps") or lookup(code, "central") if code else None
        if found.get("errorCode") == _UNAPPROVED:
            trouble = _by_state("Unapproved")
            yield Trouble("registration-failed", f"Its registration failed{said}. {trouble.message}", trouble.remedy)
            return
        meaning = f" {entry.meaning}" if entry else ""
        remedy = entry.maker if entry else "`preflight explain` may know the code; try again, then ask Azure support."
        yield Trouble("registration-failed", f"Its registration failed{said}: {message}.{meaning}", remedy)
    elif status == "disabled" or _disabled(facts.enrollment, "provisioningStatus"):
        yield Trouble(
            "enrollment-disabled",
            "Its enrollment in DPS is disabled: it may not register.",
            f"Enable the enrollment (or its group) in DPS. {_central('Blocked')}",
        )
    elif status == "unassigned" and facts.registration is not None:
        yield Trouble(
            "unassigned",
            "DPS knows it and has given it to no hub.",
            "Let the device register; see that a hub is linked to the DPS instance and allowed by the enrollment.",
        )
    elif facts.refused and status != "assigned":
        entry = lookup(facts.refused.partition(":")[0], "dps")
        remedy = entry.maker if entry else "Compare ID scope, registration id and key with those of the enrollment."
        yield Trouble("registration-refused", f"DPS refused its last try to register: {facts.refused}.", remedy)
    elif facts.registration is None and facts.enrollment is None and facts.twin is None:
        yield Trouble(
            "not-enrolled",
            f"DPS has neither an individual enrollment nor a registration {facts.registration_id!r}.",
            "Enroll the device; if it is enrolled under another id, or registers by a group, name its registration id "
            "with --registration-id.",
        )


def _of_hub(facts: Facts) -> Iterator[Trouble]:
    if facts.hub_unasked:
        return
    assigned = str((facts.registration or {}).get("assignedHub") or "")
    if facts.twin is None:
        if assigned and assigned.lower() != facts.hub.lower():
            yield Trouble(
                "another-hub",
                f"DPS has assigned it to {assigned}; {facts.hub} does not know it.",
                f"Ask {assigned}: give the connection string of that hub.",
            )
        elif assigned:
            yield Trouble(
                "removed-from-hub",
                f"DPS assigned it to {assigned}, and that hub does not know it any more.",
                "Let the device register again; a device that was deleted from its hub is made anew by that.",
            )
        elif _waits(facts):
            yield _by_state("Registered")
        elif facts.dps_unasked:
            yield Trouble(
                "unknown",
                f"{facts.hub} does not know the device {facts.device_id!r}.",
                "Check the id, upper and lower case differ; with the DPS's connection string its registration is "
                "looked at too.",
            )
    elif _disabled(facts.twin, "status"):
        reason = facts.twin.get("statusReason")
        said = f" ({reason})" if reason else ""
        yield Trouble(
            "disabled",
            f"It is disabled in its hub{said}: it may not connect.",
            f"Enable it in the hub. {_central('Blocked')}",
        )


def _waits(facts: Facts) -> bool:
    """Whether it is enrolled and may register, and never tried."""
    if facts.dps_unasked or facts.registration is not None or facts.enrollment is None:
        return False
    return not facts.refused and not _disabled(facts.enrollment, "provisioningStatus")


def _notes(facts: Facts) -> Iterator[str]:
    if facts.dps_unasked:
        yield f"DPS was not asked: {facts.dps_unasked}"
    if facts.hub_unasked:
        yield f"The hub was not asked: {facts.hub_unasked}"
    twin = facts.twin
    if twin is not None and twin.get("connectionState") != "Connected" and _ever(twin.get("lastActivityTime")):
        yield "It was connected before and is not now. A hub notices a connection that died after some minutes."


def _rows(facts: Facts, state: str) -> Iterator[tuple[str, str]]:
    yield "device", facts.device_id
    if not facts.dps_unasked:
        yield "DPS", _of_registration(facts)
    if not facts.hub_unasked:
        yield "hub", _of_identity(facts)
    twin = facts.twin
    if twin is not None:
        yield "connection", _connection(twin)
        yield "model", str(twin.get("modelId") or "none announced")
        yield "twin", ", ".join(_section(twin, name) for name in ("desired", "reported"))
    if state:
        yield "state", f"{state}: {explained(state)[0]}"


def _of_registration(facts: Facts) -> str:
    found = facts.registration
    if found is None:
        if facts.enrollment is None:
            return f"no enrollment or registration {facts.registration_id}"
        return f"enrolled ({facts.enrollment.get('provisioningStatus', 'enabled')}), never registered"
    words = [_status(facts)]
    if found.get("assignedHub"):
        words.append(f"to {found['assignedHub']} as {found.get('deviceId', '')}")
    if found.get("substatus"):
        words.append(f"({found['substatus']})")
    if found.get("errorCode"):
        words.append(f"with {found['errorCode']} {found.get('errorMessage') or ''}".rstrip())
    when = found.get("lastUpdatedDateTimeUtc")
    return " ".join(words) + (f", {_date(when)}" if when else "")


def _of_identity(facts: Facts) -> str:
    twin = facts.twin
    if twin is None:
        return f"{facts.hub} does not know it"
    reason = f" ({twin['statusReason']})" if twin.get("statusReason") else ""
    return f"{twin.get('status', 'enabled')}{reason} in {facts.hub}, {twin.get('authenticationType') or 'sas'}"


def _connection(twin: Json) -> str:
    now = "connected" if twin.get("connectionState") == "Connected" else "not connected"
    since, last = twin.get("connectionStateUpdatedTime"), twin.get("lastActivityTime")
    if not _ever(last) and now != "connected":
        return "never connected"
    now += f" since {_date(since)}" if _ever(since) else ""
    return now + (f"; last activity {_date(last)}" if _ever(last) else "")


def _section(twin: Json, name: str) -> str:
    section = (twin.get("properties") or {}).get(name) or {}
    when = (section.get("$metadata") or {}).get("$lastUpdated")
    return f"{name} version {section.get('$version', 'unknown')}" + (f" of {_date(when)}" if _ever(when) else "")


def _by_state(state: str) -> Trouble:
    meaning, remedy = explained(state)
    return Trouble(state.lower(), _OWN_WORDS.get(state, meaning), remedy)


def _central(state: str) -> str:
    return f"In IoT Central: {explained(state)[1]}"


def _status(facts: Facts) -> str:
    return str((facts.registration or {}).get("status") or "").lower()


def _disabled(document: Json | None, name: str) -> bool:
    return str((document or {}).get(name, "")).lower() == "disabled"


def _ever(when: Any) -> bool:
    return isinstance(when, str) and bool(when) and not when.startswith(_NEVER)


def _date(when: Any) -> str:
    """A service's date without its fractions."""
    head, _, _ = str(when).rstrip("Z").partition(".")
    return head.partition("+")[0].replace("T", " ") + " UTC"


def _chosen(document: Json, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: document.get(name) for name in names if document.get(name) is not None}

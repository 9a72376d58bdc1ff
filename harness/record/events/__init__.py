"""What can happen in a run: one frozen dataclass for each kind of event.

Everything that crosses the wire and everything the harness does becomes one of these, in order, with a
number and a time (`Entry`). Checks judge events and nothing else, so an event states what was seen and
never what it means. A target that cannot see a thing (real Azure shows no DPS payload) records no event
for it; that absence is what "not observable" rests on.

Fields hold JSON-compatible values, except payloads, which are the raw bytes as they were received.
`component` and `module_id` are None for the root interface and for the device itself.

A room a subject; whoever adds an event names it here too. Its kind is its name in a journal: never rename one.
"""

from __future__ import annotations

from harness.record.events.base import KINDS, Entry, Event, event
from harness.record.events.c2d import C2dDelivered, C2dEnqueued, C2dReturned, C2dSettled
from harness.record.events.device import DeviceExited, DeviceFailedToStart, DeviceStarted
from harness.record.events.dps import (
    AllocationAnswered,
    DeviceAssigned,
    DeviceEnrolled,
    ProvisioningConnected,
    ProvisioningDisconnected,
    RegistrationAnswered,
    RegistrationPolled,
    RegistrationRead,
    RegistrationRequested,
)
from harness.record.events.faults import FaultPlayed
from harness.record.events.methods import MethodAnswered, MethodRequested
from harness.record.events.model import ModelRejected, ModelResolved
from harness.record.events.run import (
    EntryLost,
    ExerciseEnded,
    ExpectationsStated,
    HarnessFailed,
    ObservationEnded,
    RunEnded,
    RunInterrupted,
    RunStarted,
    TargetFailed,
    TargetOpened,
    TrialBegan,
    TrialEnded,
    WaitEnded,
)
from harness.record.events.service import (
    C2dFeedback,
    C2dSent,
    CommandReturned,
    CommandSent,
    DigitalTwinRead,
    PropertyWritten,
    TwinRead,
    WatchBroken,
    WatchResumed,
)
from harness.record.events.telemetry import TelemetryReceived
from harness.record.events.twin import DesiredChanged, ReportedPatched, TwinRequested
from harness.record.events.uploads import BlobWritten, FileUploadEnded, FileUploadStarted
from harness.record.events.wire import (
    DeviceRequestRefused,
    HandshakeFailed,
    HubConnected,
    HubDisconnected,
    ProtocolViolation,
    Subscribed,
    Unsubscribed,
)

__all__ = [
    "KINDS",
    "AllocationAnswered",
    "BlobWritten",
    "C2dDelivered",
    "C2dEnqueued",
    "C2dFeedback",
    "C2dReturned",
    "C2dSent",
    "C2dSettled",
    "CommandReturned",
    "CommandSent",
    "DesiredChanged",
    "DeviceAssigned",
    "DeviceEnrolled",
    "DeviceExited",
    "DeviceFailedToStart",
    "DeviceRequestRefused",
    "DeviceStarted",
    "DigitalTwinRead",
    "Entry",
    "EntryLost",
    "Event",
    "ExerciseEnded",
    "ExpectationsStated",
    "FaultPlayed",
    "FileUploadEnded",
    "FileUploadStarted",
    "HandshakeFailed",
    "HarnessFailed",
    "HubConnected",
    "HubDisconnected",
    "MethodAnswered",
    "MethodRequested",
    "ModelRejected",
    "ModelResolved",
    "ObservationEnded",
    "PropertyWritten",
    "ProtocolViolation",
    "ProvisioningConnected",
    "ProvisioningDisconnected",
    "RegistrationAnswered",
    "RegistrationPolled",
    "RegistrationRead",
    "RegistrationRequested",
    "ReportedPatched",
    "RunEnded",
    "RunInterrupted",
    "RunStarted",
    "Subscribed",
    "TargetFailed",
    "TargetOpened",
    "TelemetryReceived",
    "TrialBegan",
    "TrialEnded",
    "TwinRead",
    "TwinRequested",
    "Unsubscribed",
    "WaitEnded",
    "WatchBroken",
    "WatchResumed",
    "event",
]

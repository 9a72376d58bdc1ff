"""File upload: links asked for, blobs written, ends told."""

from __future__ import annotations

from dataclasses import dataclass

from harness.record.events.base import Event, event


@event
@dataclass(frozen=True, slots=True)
class FileUploadStarted(Event):
    """The device asked for a link to a blob; `error_code` when it was refused."""

    device_id: str
    blob_name: str
    correlation_id: str
    open_uploads: int
    error_code: int | None = None


@event
@dataclass(frozen=True, slots=True)
class BlobWritten(Event):
    """The device put a blob, `size` in bytes, or was refused (`status` is HTTP's)."""

    device_id: str
    blob_name: str
    size: int
    status: int = 201


@event
@dataclass(frozen=True, slots=True)
class FileUploadEnded(Event):
    """The device said how an upload went, or its link ran out (`by` is device or hub)."""

    device_id: str
    correlation_id: str
    blob_name: str
    success: bool
    status_code: int | None = None
    description: str = ""
    size: int | None = None
    by: str = "device"

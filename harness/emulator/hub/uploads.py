"""File upload: links to blobs, at most ten open ones a device, and word to the service of what was uploaded
(iot-hub-devguide-file-upload).

    start → a link with a SAS token → the device puts the blob → the device says how it went
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.emulator import jsontext
from harness.emulator.context import Context, new_guid, utc_text
from harness.emulator.errors import ServiceError
from harness.emulator.hub.blobs import CONTAINER, Blobs
from harness.emulator.hub.locks import LockQueue
from harness.mqtt import Timer
from harness.record.events import FileUploadEnded, FileUploadStarted

_MAX_NAME = 1024
_MAX_NOTIFICATIONS = 1000


@dataclass(slots=True, eq=False)
class _Upload:
    device_id: str
    correlation_id: str
    blob_name: str
    timer: Timer | None = None


class Uploads:
    """All uploads of one hub, and the storage account they go to."""

    def __init__(self, context: Context) -> None:
        self._context = context
        options = context.options
        self.blobs = Blobs(context)
        self.notifications: LockQueue[bytes] = LockQueue(
            context, lock_seconds=options.c2d_lock_seconds, max_deliveries=options.feedback_max_deliveries
        )
        """JSON texts for the service, when `EmulatorOptions.file_notifications` is on."""
        self._open: dict[str, dict[str, _Upload]] = {}
        self._over: dict[str, None] = {}

    def start(self, device_id: str, body: Any, host: str) -> dict[str, Any]:
        """Open an upload. `host` is where the device reaches the blob endpoint, with a port unless it is 443.

        Raises ServiceError 400004, 400014, 403006.
        """
        name = body.get("blobName") if isinstance(body, Mapping) else None
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
            raise ServiceError(400004, f"the body must have a blobName of 1 to {_MAX_NAME} characters")
        options = self._context.options
        blob_name = f"{device_id}/{name}"
        upload = _Upload(device_id, new_guid(), blob_name)
        mine = self._open.setdefault(device_id, {})
        refusal = self._refusal(len(mine))
        if refusal is not None:
            self._context.emit(FileUploadStarted(device_id, blob_name, "", len(mine), refusal.code))
            raise refusal
        mine[upload.correlation_id] = upload
        upload.timer = self._context.timers.later(options.upload_seconds, lambda: self._run_out(upload))
        self._context.emit(FileUploadStarted(device_id, blob_name, upload.correlation_id, len(mine)))
        return {
            "correlationId": upload.correlation_id,
            "hostName": host,
            "containerName": CONTAINER,
            "blobName": blob_name,
            "sasToken": self.blobs.token(blob_name, options.upload_seconds),
        }

    def finish(self, device_id: str, correlation_id: str, body: Any) -> None:
        """The device says how an upload went, and has its slot back.

        Raises ServiceError 400004 for a body without isSuccess, 400015 for an unknown correlation id, 400016 for
        one whose link ran out.
        """
        if not isinstance(body, Mapping) or not isinstance(body.get("isSuccess"), bool):
            raise ServiceError(400004, "the body must have isSuccess, true or false")
        upload = self._open.get(device_id, {}).pop(correlation_id, None)
        if upload is None and correlation_id in self._over:
            raise ServiceError(400016, "the link of this upload has run out")
        if upload is None:
            raise ServiceError(400015, "no open upload of the device has this correlation id")
        if upload.timer is not None:
            upload.timer.cancel()
        self._ended(upload, body["isSuccess"], body, "device")

    def correlation_of(self, body: Any) -> str:
        """Return the correlationId of a notification's body. Raises ServiceError 400015."""
        found = body.get("correlationId") if isinstance(body, Mapping) else None
        if not isinstance(found, str) or not found:
            raise ServiceError(400015, "the body has no correlationId")
        return found

    def clear(self) -> None:
        """Forget every upload, every blob and every notification."""
        for uploads in self._open.values():
            for upload in uploads.values():
                if upload.timer is not None:
                    upload.timer.cancel()
        self._open.clear()
        self._over.clear()
        self.blobs.clear()
        self.notifications.discard()

    def forget(self, device_id: str) -> None:
        """The device was deleted: its uploads are over. Blobs stay, as in a storage account."""
        for upload in self._open.pop(device_id, {}).values():
            self.blobs.forget_blocks(upload.blob_name)
            if upload.timer is not None:
                upload.timer.cancel()

    def _refusal(self, count: int) -> ServiceError | None:
        options = self._context.options
        if not options.file_upload:
            return ServiceError(400014, "no storage account is configured for file upload")
        if count >= options.max_uploads:
            return ServiceError(403006, f"Number of active file upload requests cannot exceed {options.max_uploads}")
        return None

    def _run_out(self, upload: _Upload) -> None:
        if self._open.get(upload.device_id, {}).pop(upload.correlation_id, None) is not None:
            self._over[upload.correlation_id] = None
            while len(self._over) > _MAX_NOTIFICATIONS:
                del self._over[next(iter(self._over))]
            self._ended(upload, False, {"statusDescription": "the link ran out without a notification"}, "hub")

    def _ended(self, upload: _Upload, success: bool, body: Mapping[str, Any], by: str) -> None:
        self.blobs.forget_blocks(upload.blob_name)
        blob = self.blobs.find(upload.blob_name)
        status, description = body.get("statusCode"), body.get("statusDescription")
        self._context.emit(
            FileUploadEnded(
                upload.device_id,
                upload.correlation_id,
                upload.blob_name,
                success,
                status if isinstance(status, int) else None,
                description if isinstance(description, str) else "",
                None if blob is None else len(blob.data),
                by,
            )
        )
        if success and self._context.options.file_notifications and len(self.notifications) < _MAX_NOTIFICATIONS:
            self.notifications.put(self._notification(upload), self._context.options.feedback_seconds)

    def _notification(self, upload: _Upload) -> bytes:
        blob = self.blobs.find(upload.blob_name)
        now = utc_text(self._context.wall())
        return jsontext.dump(
            {
                "deviceId": upload.device_id,
                "blobUri": self.blobs.address(upload.blob_name),
                "blobName": upload.blob_name,
                "lastUpdatedTime": utc_text(blob.written) if blob else now,
                "blobSizeInBytes": len(blob.data) if blob else 0,
                "enqueuedTimeUtc": now,
            }
        )

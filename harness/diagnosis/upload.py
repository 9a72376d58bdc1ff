"""Codes of file upload, which goes over HTTPS beside the device's MQTT connection."""

from __future__ import annotations

from harness.diagnosis.entry import Entry

_UPLOAD = "Upload files with IoT Hub"
_CODES = "Troubleshoot Azure IoT Hub error codes"

ENTRIES = (
    Entry(
        "400014",
        "upload",
        "DefaultStorageEndpointNotConfigured",
        "The hub has no storage for uploaded files.",
        ("no storage account and container are set for file upload",),
        "Not try again until somebody configured it.",
        "Set up file upload in the hub (or in the IoT Central application): storage account and container.",
        False,
        _CODES,
    ),
    Entry(
        "400015",
        "upload",
        "InvalidFileUploadCorrelationId",
        "The upload that the device reports as finished is not known.",
        ("the correlation id is not the one that came with the link", "it was percent-encoded twice, or cut"),
        "Ask for a new link and upload again.",
        "Send the correlation id back exactly as it came.",
        False,
        _CODES,
    ),
    Entry(
        "400016",
        "upload",
        "ExpiredFileUploadCorrelationId",
        "The link had run out before the device reported the upload's end.",
        ("the upload took longer than the link lives", "the notification was sent late, after a lost connection"),
        "Ask for a new link and upload again.",
        "Report the end at once, or raise the lifetime of upload links in the hub.",
        False,
        _CODES,
    ),
    Entry(
        "400017",
        "upload",
        "InvalidStorageEndpoint",
        "The storage that the hub is set up with cannot be used.",
        ("the storage account was deleted, or its connection string changed",),
        maker="Set the storage account of file upload anew.",
        source=_CODES,
    ),
    Entry(
        "400019",
        "upload",
        "InvalidFileUploadCompletionStatus",
        "The report of the upload's end has a status that the hub cannot read.",
        ("`isSuccess` or `statusCode` is missing or of the wrong type",),
        maker="Send isSuccess (boolean), statusCode (integer) and statusDescription (string).",
        source=_CODES,
    ),
    Entry(
        "400020",
        "upload",
        "InvalidStorageEndpointOrBlob",
        "The storage refused to make the blob.",
        ("the container does not exist", "the hub may not write to the storage account"),
        "Try again later, at long intervals.",
        "Check the container and the hub's rights on the storage account.",
        False,
        _CODES,
    ),
    Entry(
        "400022",
        "upload",
        "InvalidStorageEndpointProperty",
        "A setting of the hub's storage is not valid.",
        maker="Set the storage account of file upload anew.",
        source=_CODES,
    ),
    Entry(
        "403006",
        "upload",
        "DeviceMaximumActiveFileUploadLimitExceeded",
        "Ten uploads of this device are open, and there may not be more.",
        (
            "the device never reports that an upload ended",
            "uploads are cut by the network and their slots wait for the link's end",
        ),
        "Report the end of each upload, also of a failed one; then start the next.",
        "See that the notification is sent in every case; if it is, shorten the lifetime of upload links.",
        False,
        _UPLOAD,
    ),
)

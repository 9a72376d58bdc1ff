"""Azure's errors: the numbers, their names, and the three JSON shapes they travel in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timezone

from harness.emulator.context import utc_text

CODE_NAMES = {
    400001: "InvalidProtocolVersion",
    400004: "ArgumentInvalid",
    400006: "IotHubFormatError",
    400012: "DeserializationError",
    400013: "BulkRegistryOperationFailure",
    400014: "DefaultStorageEndpointNotConfigured",
    400015: "InvalidFileUploadCorrelationId",
    400016: "ExpiredFileUploadCorrelationId",
    400027: "ConnectionForcefullyClosedOnNewConnection",
    401002: "IotHubUnauthorizedAccess",
    401003: "IotHubUnauthorized",
    403004: "DeviceMaximumQueueDepthExceeded",
    403006: "DeviceMaximumActiveFileUploadLimitExceeded",
    403009: "InvalidMessageExpiryTime",
    403012: "DeviceDisabled",
    403100: "DeviceModelMaxPropertiesExceeded",
    403800: "TooManyMethodsInFlight",
    404001: "DeviceNotFound",
    404010: "ModuleNotFound",
    404103: "DeviceNotOnline",
    404104: "DeviceConnectionClosedRemotely",
    405000: "MethodNotAllowed",
    409001: "DeviceAlreadyExists",
    409301: "ModuleAlreadyExistsOnDevice",
    412001: "PreconditionFailed",
    412002: "DeviceMessageLockLost",
    413001: "MessageTooLarge",
    413003: "TooManyModulesOnDevice",
    429001: "ThrottlingException",
    500001: "ServerError",
    501000: "NotImplemented",
    504101: "GatewayTimeout",
}
"""Names as the registry's error enumeration and the published list write them."""


class ServiceError(Exception):
    """A request that the service answers with an error. `status` is HTTP's, `code` Azure's six digits.

    `message` goes on the wire; `cause` goes into the record only, for Azure tells a device less than its
    maker needs.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int | None = None,
        info: Mapping[str, str] | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status if status is not None else code // 1000
        self.message = message
        self.info = info
        self.cause = cause or message

    @property
    def name(self) -> str:
        return CODE_NAMES.get(self.code, "InvalidErrorCode")


def device_body(error: ServiceError, wall: float) -> bytes:
    """Return the body a device gets, from DPS and from twins alike: `errorCode`, `trackingId`, `message`,
    `timestampUtc`.
    """
    return _dump(_details(error, wall))


def service_body(error: ServiceError, wall: float) -> bytes:
    """Return the newer body of the service API: `Message` holds a JSON text."""
    return _dump({"Message": _dump(_details(error, wall)).decode(), "ExceptionMessage": ""})


def old_service_body(error: ServiceError, wall: float) -> bytes:
    """Return the older body of the service API: `Message` starts with `ErrorCode:{name};`."""
    stamp = datetime.fromtimestamp(wall, timezone.utc).strftime("%m/%d/%Y %H:%M:%S")
    tracking = f"Tracking ID:{secrets.token_hex(16)}-G:0-TimeStamp:{stamp}"
    return _dump({"Message": f"ErrorCode:{error.name};{error.message}", "ExceptionMessage": tracking})


def _details(error: ServiceError, wall: float) -> dict[str, object]:
    details: dict[str, object] = {
        "errorCode": error.code,
        "trackingId": secrets.token_hex(16),
        "message": error.message,
    }
    if error.info is not None:
        details["info"] = dict(error.info)
    details["timestampUtc"] = utc_text(wall)
    return details


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()

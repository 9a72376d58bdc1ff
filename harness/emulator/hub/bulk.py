"""Many identities in one request: `POST /devices` with an import mode for each."""

from __future__ import annotations

from typing import Any

from harness.emulator.errors import CODE_NAMES, ServiceError
from harness.emulator.hub.core import IotHub


def apply(hub: IotHub, items: Any) -> dict[str, Any]:
    """Carry out each item on its own; returns a BulkRegistryOperationResult. Raises ServiceError 400004."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ServiceError(400004, "the body must be an array of devices and modules")
    limit = hub.context.options.max_bulk
    if len(items) > limit:
        raise ServiceError(400004, f"one request may have at most {limit} devices and modules")
    errors = [_failure(item, error) for item in items if (error := _try(hub, item)) is not None]
    return {"isSuccessful": not errors, "errors": errors, "warnings": []}


def _try(hub: IotHub, item: dict[str, Any]) -> ServiceError | None:
    try:
        _carry_out(hub, item)
    except ServiceError as error:
        return error
    return None


def _carry_out(hub: IotHub, item: dict[str, Any]) -> None:
    device_id, module_id = item.get("id") or item.get("deviceId"), item.get("moduleId") or None
    if not isinstance(device_id, str) or not isinstance(module_id, (str, type(None))):
        raise ServiceError(400004, "the item has no id")
    mode = item.get("importMode") or "createOrUpdate"
    etag, twin_etag = (item.get(name) or "*" for name in ("eTag", "twinETag"))
    if not isinstance(etag, str) or not isinstance(twin_etag, str):
        raise ServiceError(400004, "an ETag must be a text")
    body = {key: value for key, value in item.items() if key not in ("id", "eTag", "importMode", "twinETag")}
    known = hub.registry.find(device_id, module_id) is not None
    match mode:
        case "create" | "createOrUpdate" if mode == "create" or not known:
            hub.put_device(device_id, body, None, module_id=module_id)
        case "update" | "createOrUpdate":
            hub.put_device(device_id, body, "*", module_id=module_id)
        case "updateIfMatchETag":
            hub.put_device(device_id, body, etag, module_id=module_id)
        case "delete":
            hub.delete_device(device_id, "*", module_id=module_id)
        case "deleteIfMatchETag":
            hub.delete_device(device_id, etag, module_id=module_id)
        case "updateTwin" | "updateTwinIfMatchETag":
            identity = hub.registry.get(device_id, module_id)
            hub.update_twin(identity, item, twin_etag if mode.endswith("ETag") else None)
        case _:
            raise ServiceError(400004, f"unknown importMode {mode!r}")
    if mode in ("create", "createOrUpdate") and (item.get("tags") or item.get("properties")):
        hub.update_twin(hub.registry.get(device_id, module_id), item)


def _failure(item: dict[str, Any], error: ServiceError) -> dict[str, Any]:
    return {
        "deviceId": item.get("id") or item.get("deviceId"),
        "moduleId": item.get("moduleId"),
        "errorCode": CODE_NAMES.get(error.code, "InvalidErrorCode"),
        "errorStatus": error.message,
        "operation": item.get("importMode") or "createOrUpdate",
    }

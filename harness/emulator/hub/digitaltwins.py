"""The digital twin view of a device twin, and JSON Patch on it (concepts-digital-twin,
howto-manage-digital-twin).

A component is a twin object marked `"__t": "c"`, in reported or in desired properties. Reported `{value, ac,
av, ad}` is unwrapped; what was desired and acknowledged moves into `$metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.emulator.errors import ServiceError
from harness.emulator.hub.twins import Twin

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")
_MAX_DEPTH = 5
_ACKNOWLEDGEMENT = {"ac": "ackCode", "av": "ackVersion", "ad": "ackDescription"}


def view(device_id: str, twin: Twin) -> dict[str, Any]:
    """Return the digital twin document."""
    reported, desired = twin.reported, twin.desired
    document: dict[str, Any] = {"$dtId": device_id}
    metadata: dict[str, Any] = {"$model": twin.model_id or ""}
    names = list(dict.fromkeys([*reported.values, *desired.values]))
    for name in names:
        if is_component(twin, name):
            document[name] = _component(
                _object(reported.values.get(name)),
                reported.metadata.get(name, {}),
                _object(desired.values.get(name)),
                desired.metadata.get(name, {}),
            )
        else:
            _property(
                name,
                document,
                metadata,
                reported.values,
                reported.metadata,
                desired.values,
                desired.metadata,
            )
    return {**document, "$metadata": metadata}


def is_component(twin: Twin, name: str) -> bool:
    """Whether the twin marks this member as a component."""
    return any(_object(section.values.get(name)).get("__t") == "c" for section in (twin.reported, twin.desired))


def _component(
    reported: Mapping[str, Any],
    reported_metadata: Mapping[str, Any],
    desired: Mapping[str, Any],
    desired_metadata: Mapping[str, Any],
) -> dict[str, Any]:
    document: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for name in dict.fromkeys([*reported, *desired]):
        if name != "__t":
            _property(name, document, metadata, reported, reported_metadata, desired, desired_metadata)
    return {**document, "$metadata": metadata}


def _property(
    name: str,
    document: dict[str, Any],
    metadata: dict[str, Any],
    reported: Mapping[str, Any],
    reported_metadata: Mapping[str, Any],
    desired: Mapping[str, Any],
    desired_metadata: Mapping[str, Any],
) -> None:
    """Put one property into the document and its metadata."""
    about: dict[str, Any] = {}
    if name in desired:
        about["desiredValue"] = desired[name]
        about["desiredVersion"] = desired_metadata.get(name, {}).get("$lastUpdatedVersion")
    if name in reported:
        value = reported[name]
        if isinstance(value, dict) and "value" in value and ("ac" in value or "av" in value):
            about |= {_ACKNOWLEDGEMENT[key]: item for key, item in value.items() if key in _ACKNOWLEDGEMENT}
            value = value["value"]
        document[name] = value
        about["lastUpdateTime"] = reported_metadata.get(name, {}).get("$lastUpdated")
    metadata[name] = about


def patch_to_desired(twin: Twin, operations: Any) -> dict[str, Any]:
    """Translate a JSON Patch on the digital twin into a desired-properties patch. Raises ServiceError 400004.

    Allowed are add, replace and remove of `/property`, `/component/property` and `/component`.
    """
    if not isinstance(operations, list):
        raise ServiceError(400004, "the body must be a JSON Patch array")
    desired: dict[str, Any] = {}
    for operation in operations:
        _translate(twin, operation, desired)
    return desired


def _translate(twin: Twin, operation: Any, desired: dict[str, Any]) -> None:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise ServiceError(400004, "a JSON Patch operation must be an object with op and path")
    kind, names = operation.get("op"), _names(operation["path"])
    if kind not in ("add", "replace", "remove"):
        raise ServiceError(400004, f"the JSON Patch operation {kind!r} is not supported on a digital twin")
    if kind != "remove" and "value" not in operation:
        raise ServiceError(400004, f"the operation on {operation['path']} has no value")
    value = None if kind == "remove" else operation["value"]
    component = value if isinstance(value, dict) and "$metadata" in value else None
    if component is None:
        _check_value(value, operation["path"], 0)
    if len(names) == 2 and component is not None:
        raise ServiceError(400004, f"{operation['path']} is a property: its value holds $metadata")
    if len(names) == 2:
        part = desired.get(names[0])
        if not isinstance(part, dict):
            part = desired[names[0]] = {"__t": "c"}
        part[names[1]] = value
    elif component is not None:
        desired[names[0]] = _whole_component(twin, names[0], component, operation["path"])
    elif value is not None and is_component(twin, names[0]):
        raise ServiceError(400004, f'{names[0]} is a component: its value must hold "$metadata": {{}}')
    else:
        desired[names[0]] = value


def _whole_component(twin: Twin, name: str, value: dict[str, Any], path: str) -> dict[str, Any]:
    members = {key: item for key, item in value.items() if key != "$metadata"}
    for key, item in members.items():
        _check_name(key, path)
        _check_value(item, f"{path}/{key}", 0)
    left_out = {key: None for key in _object(twin.desired.values.get(name)) if key != "__t" and key not in members}
    return {**left_out, **members, "__t": "c"}


def _names(path: str) -> list[str]:
    names = [part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")]
    if not path.startswith("/") or len(names) > 2:
        raise ServiceError(400004, f"the path {path!r} is not /property, /component or /component/property")
    for name in names:
        _check_name(name, path)
    return names


def _check_name(name: str, path: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > 512:
        raise ServiceError(400004, f"{name!r} in {path} is not a DTDL name")


def _check_value(value: Any, path: str, depth: int) -> None:
    if isinstance(value, list):
        raise ServiceError(400004, f"the value of {path} holds an array, which a property cannot")
    if isinstance(value, dict):
        if depth >= _MAX_DEPTH:
            raise ServiceError(400004, f"the value of {path} is nested deeper than {_MAX_DEPTH} levels")
        for item in value.values():
            _check_value(item, path, depth + 1)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

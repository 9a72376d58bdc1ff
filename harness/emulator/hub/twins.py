"""Twins: two property sections with versions and metadata, and tags.

Merging follows iot-hub-devguide-device-twins: a recursive merge patch, null deletes at any level, each
accepted change adds one to the section's `$version`, and `$lastUpdated` marks every object and leaf that the
change touched.
"""

from __future__ import annotations

import base64
import copy
from dataclasses import dataclass, field
from typing import Any

from harness.emulator.errors import ServiceError
from harness.emulator.hub.twinrules import MAX_SECTION, MAX_TAGS, check_document, check_size

NEVER = "0001-01-01T00:00:00Z"


class Section:
    """Desired or reported properties. `values` is plain; `metadata` mirrors it. Desired also dates by
    version.
    """

    __slots__ = ("_dated", "metadata", "values", "version")

    def __init__(self, *, dated: bool) -> None:
        self.values: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {"$lastUpdated": NEVER}
        self.version = 1
        self._dated = dated

    def merge(self, patch: dict[str, Any], now: str, what: str) -> None:
        """Apply a checked patch. Raises ServiceError 403100, and changes nothing, if the result is."""
        values = copy.deepcopy(self.values)
        _merge_values(values, patch)
        check_size(values, MAX_SECTION, what)
        self.values = values
        self.version += 1
        _mark(self.metadata, patch, self._stamp(now))

    def replace(self, document: dict[str, Any], now: str, what: str) -> None:
        """Put a checked document in place of everything. Raises ServiceError 403100."""
        values = _without_nulls(document)
        check_size(values, MAX_SECTION, what)
        self.values = values
        self.version += 1
        self.metadata = {}
        _mark(self.metadata, values, self._stamp(now))

    def for_device(self) -> dict[str, Any]:
        return {**self.values, "$version": self.version}

    def for_service(self) -> dict[str, Any]:
        return {**self.values, "$metadata": self.metadata, "$version": self.version}

    def _stamp(self, now: str) -> dict[str, Any]:
        if self._dated:
            return {"$lastUpdated": now, "$lastUpdatedVersion": self.version}
        return {"$lastUpdated": now}


@dataclass(slots=True)
class Twin:
    """A device or module twin. `version` counts every change and makes the ETag."""

    desired: Section = field(default_factory=lambda: Section(dated=True))
    reported: Section = field(default_factory=lambda: Section(dated=False))
    tags: dict[str, Any] = field(default_factory=dict)
    version: int = 2
    model_id: str | None = None

    @property
    def etag(self) -> str:
        """The base64 counter that Azure shows, without quotes."""
        return base64.b64encode(self.version.to_bytes(8, "big")).decode()

    def report(self, patch: Any, now: str) -> int:
        """Merge what a device reports. Returns the new `$version`. Raises ServiceError 400004 or 403100."""
        checked = check_document(patch, "reported")
        self.reported.merge(checked, now, "reported")
        self.version += 1
        return self.reported.version

    def update(self, body: Any, now: str) -> dict[str, Any] | None:
        """Merge a service's patch (`tags`, `properties.desired`). Returns the desired patch, None without
        one.
        """
        tags, desired = _service_parts(body)
        merged = copy.deepcopy(self.tags)
        if tags is not None:
            _merge_values(merged, tags)
            check_size(merged, MAX_TAGS, "tags")
        if desired is not None:
            self.desired.merge(desired, now, "desired")
        self.tags = merged
        self.version += 1
        return desired

    def replace(self, body: Any, now: str) -> dict[str, Any]:
        """Replace tags and desired; what the body leaves out is emptied. Returns the new desired document."""
        tags, desired = _service_parts(body)
        new_tags = _without_nulls(tags or {})
        check_size(new_tags, MAX_TAGS, "tags")
        self.desired.replace(desired or {}, now, "desired")
        self.tags = new_tags
        self.version += 1
        return self.desired.values

    def for_device(self) -> dict[str, Any]:
        """Return what a twin GET answers a device: both sections, without metadata and tags."""
        return {"desired": self.desired.for_device(), "reported": self.reported.for_device()}

    def for_service(self) -> dict[str, Any]:
        """Return the twin's own members of the service's twin document."""
        document: dict[str, Any] = {"etag": self.etag, "version": self.version, "tags": self.tags}
        if self.model_id is not None:
            document["modelId"] = self.model_id
        document["properties"] = {
            "desired": self.desired.for_service(),
            "reported": self.reported.for_service(),
        }
        return document


def _service_parts(body: Any) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    if not isinstance(body, dict):
        raise ServiceError(400004, "a twin must be a JSON object")
    properties = body.get("properties") or {}
    if not isinstance(properties, dict):
        raise ServiceError(400004, "properties must be a JSON object")
    tags, desired = body.get("tags"), properties.get("desired")
    if isinstance(desired, dict):  # whole twins are sent back with these; the service sets them itself
        desired = {key: value for key, value in desired.items() if key not in ("$metadata", "$version")}
    return (
        None if tags is None else check_document(tags, "tags"),
        None if desired is None else check_document(desired, "desired"),
    )


def _merge_values(target: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            _merge_values(target[key], value)
        else:
            target[key] = copy.deepcopy(value)


def _without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    _merge_values(result, document)
    return result


def _mark(metadata: dict[str, Any], patch: dict[str, Any], stamp: dict[str, Any]) -> None:
    """Date what the patch touched."""
    metadata.update(stamp)
    for key, value in patch.items():
        if value is None:
            metadata.pop(key, None)
        elif isinstance(value, dict):
            _mark(metadata.setdefault(key, {}), value, stamp)
        else:
            metadata[key] = dict(stamp)

"""What changed in a twin between two reads of it, as the patches that may have changed it. Pure.

A service sees no patches, only the twin and, in `$metadata`, when each part of it was last written. So one change can
stand for several patches, and a value that was replaced before the next read is not seen at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENVELOPE = ({"value", "ac"}, {"value", "av"}, {"ac", "av"})
_MARKER = "__t"

Json = Mapping[str, Any]


def reported_change(before: Json | None, after: Json) -> dict[str, Any] | None:
    """The patch between two twins' reported properties; all of them where there is no `before`. None without one.

    An acknowledgement (value, ac, av) comes whole, and a component with its marker; of other objects come the members
    that were written.
    """
    old, new = _section(before or {}, "reported"), _section(after, "reported")
    if before is not None and old.get("$version") == new.get("$version") and _stamp(old) == _stamp(new):
        return None
    patch = _changed(old, new, _metadata(old), _metadata(new))
    return patch or None


def desired_change(before: Json, after: Json) -> dict[str, Any] | None:
    """The same for desired properties."""
    old, new = _section(before, "desired"), _section(after, "desired")
    if old.get("$version") == new.get("$version"):
        return None
    return _changed(old, new, _metadata(old), _metadata(new))


def version(twin: Json, section: str) -> int | None:
    """`$version` of a section."""
    found = _section(twin, section).get("$version")
    return found if isinstance(found, int) else None


def _section(twin: Json, name: str) -> Json:
    properties = twin.get("properties")
    section = properties.get(name) if isinstance(properties, Mapping) else None
    return section if isinstance(section, Mapping) else {}


def _metadata(section: Json) -> Json:
    found = section.get("$metadata")
    return found if isinstance(found, Mapping) else {}


def _changed(old: Json, new: Json, old_dates: Json, new_dates: Json) -> dict[str, Any]:
    patch: dict[str, Any] = {name: None for name in old if name not in new and not name.startswith("$")}
    for name, value in new.items():
        if name.startswith("$"):
            continue
        was, dates = _object(old_dates.get(name)), _object(new_dates.get(name))
        if name in old and old[name] == value and was == dates:
            continue
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping) and not _is_envelope(value):
            inner = _changed(before, value, was, dates)
            patch[name] = {_MARKER: value[_MARKER], **inner} if _MARKER in value else inner
        else:
            patch[name] = value
    return patch


def _is_envelope(value: Json) -> bool:
    return any(names <= value.keys() for names in _ENVELOPE)


def _object(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def _stamp(section: Json) -> Any:
    return _metadata(section).get("$lastUpdated")

"""The property bag at the end of a topic: `k=v&k2=v2`, percent-encoded, system properties under `$.`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import quote, unquote

from harness.emulator.hub import messages

_CACHED_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Bag:
    """`system` has wire names without `$.`; a value is None for a key without `=`. The maps are read-only.

    `size` is what the properties add to a message's bytes; `problem` says which rule they break, if any.
    """

    system: Mapping[str, str | None]
    properties: Mapping[str, str | None]
    size: int = 0
    problem: str = ""
    component: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None


def parse_bag(text: str) -> Bag:
    """Read a bag, with or without a leading `?` or a trailing `/`. The last of equal keys wins."""
    # A device sends the same few bags for ever; only short ones are kept, so that nobody can fill the memory.
    return _cached(text) if len(text) <= _CACHED_LENGTH else _parse(text)


def write_bag(system: Mapping[str, str], properties: Mapping[str, str | None]) -> str:
    """Write a bag as the hub sends it: `$` encoded too, for the C SDK compares the encoded name."""
    items = [f"%24.{name}={_encoded(value)}" for name, value in system.items()]
    for name, value in properties.items():
        items.append(_encoded(name) if value is None else f"{_encoded(name)}={_encoded(value)}")
    return "&".join(items)


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _parse(text: str) -> Bag:
    system: dict[str, str | None] = {}
    properties: dict[str, str | None] = {}
    for item in text.removeprefix("?").removesuffix("/").split("&"):
        if not item:
            continue
        raw_name, equals, raw_value = item.partition("=")
        name, value = unquote(raw_name), unquote(raw_value) if equals else None
        if name.startswith("$."):
            system[name[2:]] = value
        else:
            properties[name] = value
    size = messages.properties_size(system, properties)
    problem = messages.problem(system, properties)
    return Bag(
        MappingProxyType(system),
        MappingProxyType(properties),
        size,
        problem,
        system.get("sub"),
        system.get("ct"),
        system.get("ce"),
    )


_cached = lru_cache(maxsize=4096)(_parse)

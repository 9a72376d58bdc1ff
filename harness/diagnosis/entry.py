"""What the catalogue says about one code, and about a family of codes."""

from __future__ import annotations

from dataclasses import dataclass

SERVICES = ("dps", "hub", "central", "upload", "mqtt")
"""In the order in which a device meets them; the same code may mean something else in each."""

SERVICE_NAMES = {
    "dps": "Device Provisioning Service",
    "hub": "IoT Hub",
    "central": "IoT Central",
    "upload": "file upload",
    "mqtt": "MQTT",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One code in one service.

    `code` is as it is met: `401002`, `429`, `CONNACK 5`, `DEVICE_BLOCKED`, `Unassigned`. The first sentence of
    `meaning` stands alone. `causes` are likely ones, likeliest first. `device` is what a good device does by itself,
    `maker` what its maker does next. `retryable`: whether the same request may succeed later, unchanged. What is not
    given of these is what the code's family says. `source` names the public document; `aliases` are other words that
    mean this entry.
    """

    code: str
    service: str
    name: str
    meaning: str
    causes: tuple[str, ...] = ()
    device: str = ""
    maker: str = ""
    retryable: bool | None = None
    source: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The first sentence of the meaning, without its full stop."""
        return self.meaning.partition(". ")[0].rstrip(".")

    @property
    def specificity(self) -> int:
        """0 for a code that says what happened, 1 for a status that only says of which sort it was."""
        return 1 if self.code.isdigit() and len(self.code) == 3 else 0


@dataclass(frozen=True, slots=True)
class Family:
    """What all codes have in common that begin with the same three digits, HTTP's."""

    digits: str
    name: str
    meaning: str
    device: str
    maker: str
    retryable: bool

"""One thing that was looked at, and how things are looked at side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Outcome(str, Enum):
    """SKIPPED is what could not be looked at, for a reason that another line gives, or that is no fault."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """`check` is what was looked at, `subject` where; `cure` what to do, where something is to be done."""

    check: str
    subject: str
    outcome: Outcome
    detail: str
    cure: str = ""

    def document(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "check": self.check,
            "subject": self.subject,
            "outcome": self.outcome.value,
            "detail": self.detail,
            "cure": self.cure or None,
        }


def ok(check: str, subject: str, detail: str) -> Result:
    return Result(check, subject, Outcome.OK, detail)


def warning(check: str, subject: str, detail: str, cure: str) -> Result:
    return Result(check, subject, Outcome.WARNING, detail, cure)


def failed(check: str, subject: str, detail: str, cure: str) -> Result:
    return Result(check, subject, Outcome.FAILED, detail, cure)


def skipped(check: str, subject: str, detail: str) -> Result:
    return Result(check, subject, Outcome.SKIPPED, detail)


@dataclass(frozen=True, slots=True)
class Probe:
    """Work that looks at something; `check` and `subject` name it where it comes to no end."""

    check: str
    subject: str
    work: Awaitable[Sequence[Result]]
    seconds: float


async def examine(probes: Sequence[Probe]) -> list[Result]:
    """The results of all, in their order; a probe that breaks, or never ends, has one that says so."""
    found = await asyncio.gather(*(_one(probe) for probe in probes))
    return [result for results in found for result in results]


async def _one(probe: Probe) -> Sequence[Result]:
    try:
        return await asyncio.wait_for(probe.work, probe.seconds)
    except (asyncio.TimeoutError, TimeoutError):
        return [
            failed(
                probe.check,
                probe.subject,
                f"no end within {probe.seconds:g} s",
                "Something between holds it up: a firewall, a proxy, a service that is overloaded. Try again.",
            )
        ]
    except Exception as error:
        return [
            failed(probe.check, probe.subject, f"{type(error).__name__}: {error}", "This was not foreseen: report it.")
        ]

"""Commands that watch devices show no secrets: `monitor` and `validate`, on the screen and as JSON."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.record import events as ev
from harness.record.events import Entry
from harness.record.redact import MASK, Redactor
from harness.watch.masking import Masked
from harness.watch.showing import JsonLines, Lines, Screen
from harness.watch.source import Known, Seen

KEY = "c29tZSBrZXkgb2YgYSBodWIgdGhhdCBub2JvZHkga25vd3M="
LISTED = 'staple "7" <horse>'
TEXT = f'{{"a": "SharedAccessKey={KEY}", "b": "staple \\"7\\" <horse>"}}'


class Told:
    """A source of one event of a kind."""

    name, hint, lag = "told", "", 0.0
    hint = ""
    lag = 0.0

    async def known(self) -> list[Known]:
        return [Known("d", desired={"wifi": LISTED}, reported={"key": {"value": LISTED}})]

    @asynccontextmanager
    async def listen(self, *, past: bool = False) -> AsyncIterator[AsyncIterator[Seen]]:
        yield self._events()

    async def _events(self) -> AsyncIterator[Seen]:
        raw = TEXT.encode()
        told = (
            ev.TelemetryReceived("d", None, None, raw, properties={"wifi": LISTED}),
            ev.TelemetryReceived("d", None, None, b"\xff" + raw),
            ev.ReportedPatched("d", None, "1", raw, 204),
            ev.DesiredChanged("d", None, 2, {"wifi": LISTED}, True),
            ev.MethodAnswered("d", None, "1", "stop", 200, raw),
            ev.ProtocolViolation("d", None, "rule", f"sig={KEY}&se=1 {LISTED}", True),
        )
        for n, event in enumerate(told, 1):
            yield Seen(n, Entry(n, n, event))


@pytest.mark.parametrize("show_as", [Lines, JsonLines])
def test_what_is_shown_has_none(show_as: type[Lines] | type[JsonLines]) -> None:
    screen = io.StringIO()
    show = show_as(Screen(file=screen), show_properties=True)
    source = Masked(Told(), Redactor([LISTED]))

    async def watch() -> list[Known]:
        async with source.listen() as events:
            async for seen in events:
                show(seen)
        return await source.known()

    known = asyncio.run(watch())
    shown = screen.getvalue()
    assert shown.count("\n") >= 6
    assert MASK in shown
    for secret in (KEY, LISTED, LISTED.replace('"', '\\"'), "<horse>"):
        assert secret not in shown
        assert secret not in repr(known)

"""`preflight monitor` without its command line: what was shown, how it ended, and what to say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.watch.choosing import Choice
from harness.watch.content import clip, harmless
from harness.watch.following import Ended, Taken, follow
from harness.watch.kinds import kind_of
from harness.watch.source import Known, Seen, Source


@dataclass
class Watched:
    """What came of a watch; also readable when it was interrupted."""

    shown: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    known: Sequence[Known] = ()
    ended: Ended | None = None


async def monitor(
    source: Source,
    choice: Choice,
    show: Callable[[Seen], None],
    watched: Watched,
    *,
    say: Callable[[str], None] = lambda sentence: None,
    past: bool = False,
    count: int | None = None,
    timeout: float | None = None,
) -> None:
    """Show what is wanted until `count` were shown or none was for `timeout` seconds. Raises Broken."""

    async def listening(known: Sequence[Known]) -> None:
        watched.known = known
        choice.learn(known)
        say(f"Listening to {source.name}; Ctrl-C ends it.")

    async def take(seen: Seen) -> Taken:
        event = seen.entry.event
        if not choice.wants(event):
            watched.passed_over[kind_of(event)] += 1
            return Taken.PASSED_OVER
        show(seen)
        watched.shown += 1
        return Taken.ENOUGH if watched.shown == count else Taken.USED

    watched.ended = await follow(source, take, listening=listening, past=past, idle=timeout)


def silence(watched: Watched, choice: Choice) -> str:
    """Why nothing was shown, as far as it can be told."""
    if watched.passed_over:
        passed = ", ".join(f"{n} of {kind}" for kind, n in watched.passed_over.most_common())
        return f"Nothing was shown; the filters passed over {passed}."
    if not watched.known:
        which = f"device {clip(choice.device, 128)!r}" if choice.device else "device yet"
        return f"Nothing happened. The hub has no {which}."
    named = [one for one in watched.known if choice.wants_identity(one.device_id, one.module_id)]
    if not named:
        names = ", ".join(harmless(one.device_id) for one in watched.known[:10])
        return f"Nothing happened. The hub has no device {clip(choice.device or '', 128)!r}; it has {clip(names, 300)}."
    connected = sum(one.connected for one in named)
    return f"Nothing happened. Devices watched: {len(named)}; connected when it began: {connected}."

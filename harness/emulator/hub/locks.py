"""A queue whose items are lent out under a lock: how IoT Hub keeps cloud-to-device messages, feedback and file
upload notifications.

    Enqueued → Invisible (locked) → completed | rejected
                                  → Enqueued again (abandoned, released, or the lock ran out)
    Enqueued → expired            at the end of its time to live

(iot-hub-devguide-messages-c2d, "The cloud-to-device message life cycle".)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Generic, TypeVar

from harness.emulator.context import Context, new_guid
from harness.emulator.errors import ServiceError
from harness.mqtt import Timer

T = TypeVar("T")


class Outcome(str, Enum):
    """How an item left its queue, in the words of Azure's feedback."""

    COMPLETED = "Success"
    REJECTED = "Rejected"
    EXPIRED = "Expired"
    DELIVERED_TOO_OFTEN = "DeliveryCountExceeded"
    PURGED = "Purged"


class Return(str, Enum):
    """Why a lent item came back."""

    ABANDONED = "abandoned"
    LOCK_EXPIRED = "lock-expired"
    CONNECTION_ENDED = "connection-ended"


@dataclass(slots=True, eq=False)
class Lent(Generic[T]):
    """One item. Times are Unix seconds; `token` is None unless it is locked; `deliveries` counts takings."""

    item: T
    sequence: int
    enqueued: float
    expires: float
    deliveries: int = 0
    strikes: int = 0
    """What counts towards the greatest delivery count."""
    token: str | None = None
    packet_id: int = 0
    """Under which an MQTT session that was cut had sent it; 0 is none."""
    timer: Timer | None = None
    expiry: Timer | None = None


class LockQueue(Generic[T]):
    """First in, first out. `ended` is told of every item that leaves, `returned` of each that comes back, and
    `ready` whenever there may be something to take.
    """

    def __init__(
        self,
        context: Context,
        *,
        lock_seconds: float,
        max_deliveries: int,
        strike_on_lock_expiry: bool = True,
        ended: Callable[[Lent[T], Outcome], None] = lambda lent, outcome: None,
        returned: Callable[[Lent[T], Return], None] = lambda lent, why: None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._lock_seconds = lock_seconds
        self._max_deliveries = max_deliveries
        self._strike_on_lock_expiry = strike_on_lock_expiry
        self._ended, self._returned, self.ready = ended, returned, ready
        self._items: OrderedDict[int, Lent[T]] = OrderedDict()
        self._last = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Lent[T]]:
        return iter(list(self._items.values()))

    def put(self, item: T, seconds: float) -> Lent[T]:
        """Add an item that lives for that many seconds; with none left it expires at once."""
        self._last += 1
        now = self._context.wall()
        lent = Lent(item, self._last, now, now + seconds)
        self._items[lent.sequence] = lent
        if seconds <= 0:
            return self._leave(lent, Outcome.EXPIRED)
        lent.expiry = self._context.timers.later(seconds, lambda: self._expire(lent))
        self.ready()
        return lent

    def take(self) -> Lent[T] | None:
        """Lend the oldest item that is not lent; None when there is none."""
        lent = next((lent for lent in self._items.values() if lent.token is None), None)
        if lent is not None:
            lent.token = new_guid()
            lent.deliveries += 1
            lent.timer = self._context.timers.later(self._lock_seconds, partial(self._lock_over, lent))
        return lent

    def complete(self, token: str) -> Lent[T]:
        """Raises ServiceError 412002 when the lock is over."""
        return self._leave(self._locked(token), Outcome.COMPLETED)

    def reject(self, token: str) -> Lent[T]:
        """Raises ServiceError 412002 when the lock is over."""
        return self._leave(self._locked(token), Outcome.REJECTED)

    def abandon(self, token: str) -> Lent[T]:
        """Give it back, counted as a delivery that failed. Raises ServiceError 412002 when the lock is over."""
        lent = self._locked(token)
        self._give_back(lent, Return.ABANDONED, strike=True)
        return lent

    def release(self, lent: Lent[T]) -> None:
        """Take it back because whoever had it is gone; this counts as nothing."""
        if lent.token is not None and lent.sequence in self._items:
            self._give_back(lent, Return.CONNECTION_ENDED, strike=False)

    def purge(self) -> int:
        """Drop everything, lent or not; returns how many there were."""
        gone = list(self._items.values())
        for lent in gone:
            self._leave(lent, Outcome.PURGED)
        return len(gone)

    def discard(self) -> None:
        """Drop everything without telling anybody: the queue's owner is gone."""
        for lent in self._items.values():
            _stop(lent)
        self._items.clear()

    # --- inside --------------------------------------------------------------------------------------

    def _locked(self, token: str) -> Lent[T]:
        for lent in self._items.values():
            if lent.token is not None and lent.token == token:
                return lent
        raise ServiceError(412002, "the lock of this message is lost, or there never was one")

    def _lock_over(self, lent: Lent[T]) -> None:
        if lent.sequence in self._items:
            self._give_back(lent, Return.LOCK_EXPIRED, strike=self._strike_on_lock_expiry)

    def _give_back(self, lent: Lent[T], why: Return, *, strike: bool) -> None:
        if lent.timer is not None:
            lent.timer.cancel()
        lent.timer = lent.token = None
        lent.strikes += strike
        self._returned(lent, why)
        if lent.strikes >= self._max_deliveries:
            self._leave(lent, Outcome.DELIVERED_TOO_OFTEN)
        elif lent.expires <= self._context.wall():
            self._leave(lent, Outcome.EXPIRED)
        else:
            self.ready()

    def _expire(self, lent: Lent[T]) -> None:
        lent.expiry = None
        # A lent one may still be completed; its lock decides.
        if lent.token is None and lent.sequence in self._items:
            self._leave(lent, Outcome.EXPIRED)

    def _leave(self, lent: Lent[T], outcome: Outcome) -> Lent[T]:
        _stop(lent)
        del self._items[lent.sequence]
        lent.token = None
        self._ended(lent, outcome)
        return lent


def _stop(lent: Lent[T]) -> None:
    for timer in (lent.timer, lent.expiry):
        if timer is not None:
            timer.cancel()
    lent.timer = lent.expiry = None

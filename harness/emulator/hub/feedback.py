"""Feedback on cloud-to-device messages: what became of each, in batches of 64 or of 15 seconds."""

from __future__ import annotations

from dataclasses import dataclass

from harness.emulator import jsontext
from harness.emulator.context import Context
from harness.emulator.hub.locks import LockQueue
from harness.mqtt import Timer

CONTENT_TYPE = "application/vnd.microsoft.iothub.feedback.json"
_MAX_BATCHES = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """`status` is Success, Expired, DeliveryCountExceeded, Rejected or Purged; `enqueued` a UTC time."""

    message_id: str
    device_id: str
    generation_id: str
    enqueued: str
    status: str


class Feedback(LockQueue[tuple[Record, ...]]):
    """Batches to be taken with `take`, written with `body`, and settled with `complete` or `abandon`.

    A reader that wants to be told sets `ready`.
    """

    def __init__(self, context: Context) -> None:
        options = context.options
        super().__init__(context, lock_seconds=options.c2d_lock_seconds, max_deliveries=options.feedback_max_deliveries)
        self._gathered: list[Record] = []
        self._timer: Timer | None = None

    def add(self, record: Record) -> None:
        """Gather one record into the batch that goes out next."""
        self._gathered.append(record)
        options = self._context.options
        if len(self._gathered) >= options.feedback_batch:
            self._send()
        elif self._timer is None:
            self._timer = self._context.timers.later(options.feedback_batch_seconds, self._send)

    def clear(self) -> None:
        """Forget every batch, and what is gathered for the next."""
        self._stop_timer()
        self._gathered = []
        self.discard()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send(self) -> None:
        self._stop_timer()
        batch, self._gathered = tuple(self._gathered), []
        if len(self) < _MAX_BATCHES:  # nobody reads them: the oldest stay until they expire
            self.put(batch, self._context.options.feedback_seconds)


def body(batch: tuple[Record, ...]) -> bytes:
    """Return the JSON array that a service gets."""
    return jsontext.dump(
        [
            {
                "originalMessageId": record.message_id,
                "description": record.status,
                "deviceGenerationId": record.generation_id,
                "deviceId": record.device_id,
                "enqueuedTimeUtc": record.enqueued,
                "statusCode": record.status,
            }
            for record in batch
        ]
    )

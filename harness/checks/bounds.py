"""How long and how often: what a device may take when services fail. Seconds, unless said otherwise.

They are what Microsoft's device SDKs keep as they come (Python, Node, C; measured and read), with some room, and
Microsoft's guidance on device reconnections where that is stricter. So a device on a stock SDK is within them.
"""

from __future__ import annotations

RETRY_AFTER_EARLY = 0.5
"""A request may come so much before the end of a retry-after: devices count in ticks of their own clock."""

RETRY_AFTER_LATE = 60.0
"""A request that may be repeated is, so long after a retry-after at the latest."""

SMALLEST_SPACING = 1.0 - RETRY_AFTER_EARLY
"""Between two register requests to a DPS that is busy and does not say for how long: the C SDK waits 1 s, Python and
Node 2 s; none waits less."""

ANSWER_PATIENCE = 75.0
"""Within which a device stops waiting for an answer of DPS that never comes and asks again: the C SDK waits 60 s for
one, Python and Node 30 s."""

FIRST_RECONNECT = 35.0
"""From the loss of a connection to the first CONNECT: the longest wait of the C SDK is 31.5 s; Python and Node take
10 s at most."""

REFUSED_SILENCE = 105.0
"""A device that was refused and is not heard of for so long has stopped trying: the longest wait that the SDK for
Embedded C advises is 100 s, and 5 s of jitter."""

IN_SERVICE = 40.0
"""From the end of an outage to being in service again."""

FAILURES_BEFORE_DPS = 10
"""Failures in a row after which a device asks DPS where its hub is (guidance on device reconnections; Embedded C)."""

TOO_SOON_FOR_DPS = 3
"""Fewer failures than this are no reason to register again: the hub is busy, not gone."""

TEN_FAILURES_WATCH = 20.0
"""How long a device is refused at most, to see whether it asks DPS: the stock SDKs need 100 s and more for ten."""

CONNECTS, CONNECTS_WITHIN = 60, 10.0
"""More CONNECTs than this in so many seconds are hammering, unless they become fewer all the time. The Node SDK retries
every pending operation by itself, each with a CONNECT. With commands, desired properties and a message a second that
makes about 40 in the first ten seconds where the device is refused, three quarters of them in the first five. Where the
hub is busy each message adds its own, and there are 100 in any ten seconds: a tenth of the new connections that a unit
of S1 grants to all its devices.
"""

SLOWER = 0.7
"""A device that connects in the later half of a time at most so often as in the earlier half slows down, unless that
half alone is hammering."""

CONNECTS_SEEN = 200
"""After so many nobody needs to see more."""

MANY_CONNECTS = 20
"""What is worth a note in as many seconds: the SDKs for Python and C make 4 at most."""

TOKENS_ALIKE = 1.5
"""Two tokens that are made so soon one after the other may be the same: they last until a whole second."""

LONGEST_KEEP_ALIVE = 1177
"""IoT Hub closes after 1.5 times the keep-alive, and after 1767 s at the latest."""

QUIET_WATCH = 10.0
"""The longest keep-alive whose keeping is waited for."""

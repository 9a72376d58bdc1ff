"""The simulator on Microsoft's device SDK: registers with DPS, connects to the hub, serves until stopped.

The SDK calls back on threads of its own; every callback only puts a piece of work into one inbox, which the
main thread takes out. So the behavior is never entered twice at a time and needs no lock. The two seconds
that the SDK waits before it asks DPS for its assignment are used to read the model.

The SDK retries what DPS answers with 429 and 5xx, heeds its retry-after, and renews tokens. Whatever else goes
wrong is an application's affair: here every loss of the connection gets a new client, which subscribes and reads
its twin again; failures are followed by a wait that grows; a refusal, or ten failures in a row, by a new
registration. The SDK's own reconnecting is switched off for that: it never counts nor slows down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .backoff import Backoff
from .dying import Away
from .plan import Plan, Reach, announcing
from .registration import Refused, Registration, Unreachable, reasons
from .running import ENDED_EARLY, Say, SessionError, device_of, idle, pause, play_until_stopped
from .sdk import proven
from .settings import Settings

if TYPE_CHECKING:  # the registration goes first, and what is slow to import after it
    from .connection import Life
    from .faults import Chosen

__all__ = ["run"]


def run(settings: Settings, chosen: Sequence[Chosen], say: Say) -> int:
    """Play the device until a signal stops it; the exit code. Call it on the main thread."""
    plan = announcing(settings.model_id)
    for choice in chosen:
        plan = choice.change(plan)
    say(f"simulating {settings.model_id} as {settings.registration_id}")
    return play_until_stopped(lambda: _play(settings, chosen, plan, say), say)


def _play(settings: Settings, chosen: Sequence[Chosen], plan: Plan, say: Say) -> int:
    """Returns only where the plan is to end; everything else ends in an exception."""
    if plan.ends:
        say("fault: ends early")
        return ENDED_EARLY
    if plan.reach is Reach.NOWHERE:
        say("fault: connects to nothing")
        idle()
    registration = Registration(settings, plan)
    from .connection import Life

    life = Life(device_of(settings, chosen, say), settings.interval, settings.retry, say)
    again = Backoff(settings.retry)
    while True:
        hub, device_id = _assigned(registration, settings, plan, say, lasting=life.connections > 0)
        say(f"registered: device {device_id} on {hub}")
        if plan.reach is Reach.PROVISIONED:
            say("fault: does not connect to the hub")
            idle()
        before = life.connections
        try:
            _serve(settings, plan, hub, device_id, life, say)
        except Away:
            say("fault: goes away for good")
            idle()
        if life.connections > before:
            again.reset()
        elif again.failures:
            pause(again.next())
        else:
            again.failures = 1  # the first time at once
        registration = Registration(settings, plan)


def _assigned(
    registration: Registration, settings: Settings, plan: Plan, say: Say, *, lasting: bool
) -> tuple[str, str]:
    """Hub and device id that DPS assigned, however often it takes to ask.

    A device that was in service once (`lasting`) never gives up. One that never was gives up when DPS refuses it, or
    cannot be reached ten times over: its settings are wrong. Raises SessionError.
    """
    backoff = Backoff(settings.retry)
    while True:
        try:
            return registration.result()
        except (Refused, Unreachable) as e:
            wait = backoff.next()
            if not lasting and (isinstance(e, Refused) or backoff.exhausted):
                raise SessionError(str(e)) from None
            say(f"{e} Again in {wait:.1f} s.")
        pause(wait)
        registration = Registration(settings, plan)


def _serve(settings: Settings, plan: Plan, hub: str, device_id: str, life: Life, say: Say) -> None:
    """Be in service on this hub until it refuses the device or cannot be reached ten times in a row."""
    from azure.iot.device import IoTHubDeviceClient
    from azure.iot.device.exceptions import CredentialError

    from .connection import Connection, Lost, shut_down

    options = {} if plan.hub_model_id is None else {"product_info": plan.hub_model_id}
    ours = {"connection_retry": False, "auto_connect": False, "ensure_desired_properties": False}
    backoff = Backoff(settings.retry)
    while not backoff.exhausted:
        client = proven(IoTHubDeviceClient, settings, hostname=hub, device_id=device_id, **options, **ours)
        try:
            client.connect()
            backoff.reset()
            Connection(client, life).serve()
        except CredentialError as e:
            say(f"Connecting {device_id} to {hub}:8883 was refused: {reasons(e)}.")
            return
        except Lost:
            say("connection lost")
            wait = backoff.soon()
        except Exception as e:
            wait = backoff.next()
            say(f"Connecting {device_id} to {hub}:8883 failed: {reasons(e)}. Again in {wait:.1f} s.")
        finally:
            shut_down(client)
        pause(wait)

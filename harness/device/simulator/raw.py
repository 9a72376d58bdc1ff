"""A device on nothing but MQTT: it says each packet itself, so that it can do wrong what an SDK would not let it.

Without faults it is as good as the one of `session`: another design of a resilient device, and a quicker one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.mqtt import Connect
from harness.mqtt.packets import BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED

from .backoff import Backoff
from .conduct import Conduct
from .dying import Away
from .faults import Chosen
from .plan import Plan, Reach, announcing
from .raw_connection import RawConnection, RawLife
from .raw_registration import Registrar
from .running import ENDED_EARLY, Say, device_of, idle, pause, play_until_stopped
from .settings import Settings
from .wire import Down, Line, token

__all__ = ["run"]

_TOKEN_SECONDS = 3600.0
_HASTE = 0.01
"""Seconds between two tries of a device that hammers."""


def run(settings: Settings, chosen: Sequence[Chosen], say: Say) -> int:
    """Play the device until a signal stops it; the exit code. Call it on the main thread."""
    plan, conduct = announcing(settings.model_id), Conduct()
    for choice in chosen:
        plan, conduct = choice.change(plan), choice.conduct(conduct)
    say(f"simulating {settings.model_id} as {settings.registration_id}, without an SDK")
    return play_until_stopped(lambda: _play(settings, chosen, plan, conduct, say), say)


def _play(settings: Settings, chosen: Sequence[Chosen], plan: Plan, conduct: Conduct, say: Say) -> int:
    if plan.ends or (not conduct.starts_again and _was_here(settings)):
        say("fault: ends early")
        return ENDED_EARLY
    if plan.reach is Reach.NOWHERE:
        say("fault: connects to nothing")
        idle()
    if not conduct.takes_scope:
        settings = replace(settings, id_scope=_first_scope(settings))
    settings = conduct.edit_settings(settings)
    life = RawLife(device_of(settings, chosen, say), settings, conduct, say)
    registrar = Registrar(settings, plan, conduct, say)
    again = Backoff(settings.retry)
    while True:
        if conduct.uses_dps:
            hub, device_id = registrar.assignment(lasting=life.connections > 0)
        else:
            hub, device_id = settings.endpoint, settings.registration_id
        say(f"registered: device {device_id} on {hub}")
        if plan.reach is Reach.PROVISIONED:
            say("fault: does not connect to the hub")
            idle()
        before = life.connections
        _Hub(hub, device_id, settings, plan, life, say).serve()
        if life.connections > before:
            again.reset()
        elif again.failures:
            pause(again.next())
        else:
            again.failures = 1  # the first time at once


class _Hub:
    """The hub that DPS assigned, until it refuses the device or cannot be reached ten times in a row."""

    def __init__(self, host: str, device_id: str, settings: Settings, plan: Plan, life: RawLife, say: Say) -> None:
        self._host = host
        self._device_id = device_id
        self._settings = settings
        self._plan = plan
        self._life = life
        self._conduct = life.conduct
        self._say = say

    def serve(self) -> None:
        """Returns when the device is to register again."""
        conduct, backoff = self._conduct, Backoff(self._settings.retry)
        while True:
            refused = False
            try:
                refused = self._once(backoff)
                wait = backoff.next()
                if refused and conduct.gives_up_when_refused:
                    self._say("fault: gives up")
                    idle()
            except Away:
                self._say("fault: goes away for good")
                idle()
            except Down as e:
                self._say(f"connection lost: {e}")
                wait = backoff.next() if backoff.failures else backoff.soon()
                backoff.failures = max(1, backoff.failures)
            if not conduct.reconnects and self._life.connections:
                self._say("fault: does not reconnect")
                idle()
            tired = refused or backoff.exhausted or not conduct.stays_with_hub
            if tired and conduct.reregisters:
                return
            pause(wait if conduct.backs_off else _HASTE)

    def _once(self, backoff: Backoff) -> bool:
        """Connect and serve. Returns when the hub refuses: whether for good. Raises Down."""
        conduct = self._conduct
        line = Line(
            self._host, self._settings, conduct if conduct.verifies_hub else replace(conduct, verifies_server=False)
        )
        try:
            code = line.connect(self._packet())
            if code:
                self._say(f"the hub refused the connection with CONNACK {code}")
                return code in (BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED)
            backoff.reset()
            line = self._misbegun(line)
            RawConnection(line, self._device_id, self._life).serve()
        finally:
            line.close()

    def _misbegun(self, line: Line) -> Line:
        """Do once what the device does wrong as soon as it is connected; the line that it goes on with. Raises Down."""
        conduct, life = self._conduct, self._life
        life.starts += 1
        if life.starts <= conduct.false_starts:
            raise Down("fault: lets go of its connection")
        if life.starts > conduct.false_starts + 1:
            return line
        for _ in range(conduct.rivals):
            life.rivals.append(line)
            line = Line(self._host, self._settings, conduct)
            line.connect(self._packet())
        for packet in conduct.first_words(self._device_id):
            line.send(packet)
            self._say(f"fault: says {type(packet).__name__}")
        return line

    def _packet(self) -> Connect:
        name, conduct = self._device_id, self._conduct
        silent = self._plan.hub_model_id is None or (self._life.starts > 0 and not conduct.announces_again)
        model = "" if silent else f"&model-id={self._plan.hub_model_id}"
        user = f"{self._host}/{name}/?api-version=2021-04-12{model}"
        password = None
        if isinstance(self._settings.proof, str):
            if self._life.token is None or conduct.renews_token:
                # A token lasts a whole number of seconds: two of one second would be the same without this.
                seconds = _TOKEN_SECONDS + self._life.tokens + conduct.clock
                self._life.tokens += 1
                self._life.token = token(f"{self._host}/devices/{name}", self._settings.proof, seconds)
            password = self._life.token
        packet = Connect(
            name,
            user,
            password,
            clean_session=not conduct.persistent or bool(conduct.forgets),
            keep_alive=conduct.keep_alive,
        )
        return conduct.edit_connect(packet, self._settings)


def _was_here(settings: Settings) -> bool:
    """Whether whoever started this device has started it before."""
    mark = _note(settings, "once")
    if mark.exists():
        return True
    mark.touch()
    return False


def _first_scope(settings: Settings) -> str:
    """The ID scope that this device was told when it was started first."""
    mark = _note(settings, "scope")
    if not mark.exists():
        mark.write_text(settings.id_scope, encoding="utf-8")
    return mark.read_text(encoding="utf-8")


def _note(settings: Settings, what: str) -> Path:
    """A file in which a faulty device remembers something for as long as its starter lives."""
    return Path(tempfile.gettempdir()) / f"preflight-{os.getppid()}-{settings.registration_id}.{what}"

"""A raw device and DPS: register, poll, and what to do when that does not work at once."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.mqtt import Connect, Publish

from .backoff import Backoff
from .conduct import Conduct
from .plan import Plan
from .running import Say, SessionError, idle, pause
from .settings import Settings
from .wire import ANSWER_SECONDS, Down, Line, token

_FILTER = "$dps/registrations/res/#"
_REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid={}"
_POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid={}&operationId={}"
_ANSWER = re.compile(r"\$dps/registrations/res/(\d+)/\?(.*)")
_BUSY = 429
"""The status from which on asking again may help."""
_SMALLEST_WAIT = 1.0
"""Seconds between two requests to a DPS that is busy and does not say for how long."""
_POLL_SECONDS = 2.0
"""Before a poll, where DPS does not say."""
_HASTE = 0.02
"""Seconds that a faulty device waits."""
_TOKEN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    retry_after: float | None
    body: Mapping[str, Any]


class Registrar:
    """Registers one device as often as it is asked to."""

    def __init__(self, settings: Settings, plan: Plan, conduct: Conduct, say: Say) -> None:
        self._settings = settings
        self._plan = plan
        self._conduct = conduct
        self._say = say
        self._request = 0
        self._scope = settings.id_scope

    def assignment(self, *, lasting: bool) -> tuple[str, str]:
        """Hub and device id. A device that was never in service (not `lasting`) gives up when DPS refuses it.

        Raises SessionError.
        """
        backoff = Backoff(self._settings.retry)
        while True:
            try:
                return self._register()
            except Down as e:
                problem = str(e)
                if not self._conduct.survives_dps_loss:
                    self._say(f"fault: waits for ever: {e}")
                    idle()
            except SessionError as e:
                problem = str(e)
                if not lasting:
                    raise
            if backoff.exhausted and not lasting:
                raise SessionError(f"DPS cannot be reached: {problem}.")
            wait = backoff.next()
            self._say(f"registering failed: {problem}. Again in {wait:.1f} s.")
            pause(wait)

    def _register(self) -> tuple[str, str]:
        line = self._connected()
        try:
            line.subscribe(_FILTER)
            if not self._conduct.asks:
                self._say("fault: does not register")
                idle()
            answer = self._ask(line, lambda rid: _REGISTER.format(rid), self._body())
            return self._polled(line, answer)
        finally:
            line.close()

    def _connected(self) -> Line:
        settings = self._settings
        identity, password = settings.registration_id, None
        if isinstance(settings.proof, str):
            resource = f"{self._scope}/registrations/{identity}"
            seconds = _TOKEN_SECONDS + self._conduct.clock
            password = token(resource, settings.proof, seconds, "registration")
        user = f"{self._scope}/registrations/{identity}/api-version=2019-03-31"
        line = Line(settings.endpoint, settings, self._conduct)
        packet = Connect(identity, user, password, keep_alive=self._conduct.keep_alive)
        code = line.connect(self._conduct.edit_dps_connect(packet))
        if code:
            raise SessionError(f"DPS refused the connection with CONNACK {code}")
        return line

    def _body(self) -> bytes:
        body: dict[str, Any] = {"registrationId": self._settings.registration_id}
        if self._plan.dps_payload is not None:
            body["payload"] = self._plan.dps_payload
        return json.dumps(self._conduct.edit_registration(body)).encode()

    def _polled(self, line: Line, answer: Answer) -> tuple[str, str]:
        operation_id = ""
        while answer.status == 202 or answer.body.get("status") == "assigning":
            if not self._conduct.polls:
                self._say("fault: does not poll")
                idle()
            operation_id = answer.body.get("operationId") or operation_id
            pause(self._wait_to_poll(answer))
            known = operation_id
            answer = self._ask(line, lambda rid, known=known: _POLL.format(rid, known), b" ")
            if not answer.body.get("operationId") and not self._conduct.uses_cached_operation_id:
                self._say("fault: gives up without operationId")
                idle()
        state = answer.body.get("registrationState")
        if answer.body.get("status") != "assigned" or not isinstance(state, Mapping):
            raise SessionError(f"DPS answered {answer.body.get('status')!r}: look at the enrollment")
        return str(state["assignedHub"]), str(state["deviceId"])

    def _wait_to_poll(self, answer: Answer) -> float:
        if not self._conduct.heeds_retry_after:
            return _HASTE
        return _POLL_SECONDS if answer.retry_after is None else answer.retry_after

    def _ask(self, line: Line, topic: Any, payload: bytes) -> Answer:
        """Ask until DPS is not busy. Raises Down, SessionError."""
        backoff = Backoff(max(self._settings.retry, _SMALLEST_WAIT))
        while True:
            self._request += 1
            line.publish(Publish(topic(self._request), payload, 1))
            answer = self._answer(line)
            if answer.status < 300:
                return answer
            if answer.status < _BUSY:
                raise SessionError(f"DPS answered with status {answer.status}")
            wait = self._wait_when_busy(answer, backoff.next())
            self._say(f"DPS is busy ({answer.status}). Again in {wait:.1f} s.")
            pause(wait)

    def _wait_when_busy(self, answer: Answer, otherwise: float) -> float:
        conduct = self._conduct
        if answer.retry_after is not None and conduct.heeds_retry_after:
            return answer.retry_after
        return otherwise if conduct.backs_off_registering and answer.retry_after is None else _HASTE

    def _answer(self, line: Line) -> Answer:
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            packet = line.receive(until - time.monotonic())
            found = _ANSWER.fullmatch(packet.topic) if isinstance(packet, Publish) else None
            if found is None:
                continue
            assert isinstance(packet, Publish)
            query = dict(item.partition("=")[::2] for item in found[2].split("&"))
            if query.get("$rid") == str(self._request):
                after = query.get("retry-after")
                return Answer(int(found[1]), float(after) if after else None, _object(packet.payload))
        raise Down("DPS does not answer")


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}

"""Trials of a connected device: the hub cuts it off, is busy, does not know it, says things twice and late."""

from __future__ import annotations

from functools import partial

from harness.checks import bounds
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.run.trials.stage import Stage
from harness.run.trials.trial import NOTHING, saw

_LATE = (1.0, 5.0)
"""Seconds by which a patch is late, so that the next one overtakes it: at first, and on a machine that is so busy."""
_DELIVERY = 5.0
"""Seconds beyond that for it to be delivered."""
_TELEMETRY = 10.0
"""Seconds that telemetry is waited for after a reconnect where its interval is not known."""
_SILENT_AGAIN = 5.0
"""A device that was refused before, in another trial, and did nothing more, need not be waited for any longer."""
_AFTER_LATE = 20.0
"""Seconds for a registration, after a refusal that came `bounds.RETRY_AFTER_LATE` after the first."""
_TRIES = 3
"""A disabled device that has tried so often is enabled again, whether it registered anew or not."""

_CONTACTS = (ev.HubConnected, ev.ProvisioningConnected, ev.RegistrationRequested, ev.RegistrationPolled)


async def keep_alive(stage: Stage) -> str:
    """Let the device be quiet for longer than it promised, where that is short enough to be waited for."""
    connected = stage.run_evidence.connected
    promised = connected[1].keep_alive if connected else 0
    if not 0 < promised <= bounds.QUIET_WATCH:
        return f"a keep-alive of {promised} s, which is not waited for"

    def silent(evidence: Evidence) -> bool:
        return any("keep-alive" in e.reason for _, e in evidence.of(ev.HubDisconnected))

    found = await stage.until("the device to miss its keep-alive", silent, 1.5 * promised + 1)
    return "a missed keep-alive" if found else "no missed keep-alive"


async def old_patch(stage: Stage) -> str:
    """Let one desired patch be overtaken by the next; once more with more time for that where it was not."""
    capability = stage.writable()
    if capability is None:
        return "no writable property to show it by"
    for seconds in _LATE:
        await stage.order({"at": "desired", "do": "delay", "seconds": seconds})
        old = await stage.write(capability)
        newer = await stage.write(capability)
        delivered = partial(_delivered, old.version)
        await stage.until("the older patch to be delivered", delivered, seconds + _DELIVERY)
        await stage.acknowledged(newer)
        if t.overtaken(stage.evidence):
            break
    # Its answer shows that the device has dealt with all that came before.
    return saw(await stage.acknowledged(await stage.write(capability)))


def _delivered(version: int, evidence: Evidence) -> bool:
    return any(e.version == version and e.delivered for _, e in evidence.of(ev.DesiredChanged))


async def hub_cut(stage: Stage) -> str:
    """Cut the connection, and see the device come back and go on.

    What is sent often is awaited once more before, and twice after: a client repeats by itself what was under way.
    """
    gap = t.usual_gap(stage.run_evidence, t.HUB_CUT)
    patience = 0.0 if gap is None else t.TOO_LONG * gap + t.A_MOMENT
    often = 0 < patience <= _TELEMETRY
    if often:
        await stage.until("telemetry", lambda evidence: evidence.first(ev.TelemetryReceived) is not None, patience)
    await stage.cut()
    if not await stage.until("the device to reconnect", _back, bounds.IN_SERVICE):
        return NOTHING
    if stage.run_evidence.first(ev.TelemetryReceived) is None:
        return "a reconnect"
    known = t.usual_gap(stage.run_evidence, t.HUB_CUT) is not None
    sent = await _sends(
        stage, _accepted(stage.evidence) or 0, min(patience, bounds.IN_SERVICE) if known and patience else _TELEMETRY
    )
    return saw(sent and (not (known and often) or await _sends(stage, stage.mark(), patience + 1)))


async def _sends(stage: Stage, after: int, patience: float) -> bool:
    def sent(evidence: Evidence) -> bool:
        return any(n > after for n, _ in evidence.of(ev.TelemetryReceived))

    return await stage.until("telemetry to go on", sent, patience)


async def hub_busy(stage: Stage) -> str:
    """Refuse the device as a busy hub does, change a desired property meanwhile, and let it come back."""
    await stage.order({"at": "connect", "do": "connack", "code": 3, "from": 1})
    await stage.cut()
    if not await stage.until("the device to try to reconnect", _was_refused, bounds.FIRST_RECONNECT):
        return NOTHING
    capability = stage.writable()
    written = await stage.write(capability) if capability else None
    await _ten_failures(stage)
    await stage.end_faults()
    if not await stage.until("the device to come back", _back, bounds.IN_SERVICE):
        return NOTHING
    if written is not None:
        await stage.acknowledged(written)
    command = stage.command()
    if command is not None and (await stage.invoke(command)).status is None:
        return "the device back, without commands"
    if capability is not None:
        await stage.acknowledged(await stage.write(capability))
    return "the device back"


async def _ten_failures(stage: Stage) -> None:
    """Go on until the device asks DPS, has failed more than ten times, or would need too long for that."""
    limit = stage.recorder.now + bounds.TEN_FAILURES_WATCH
    enough = bounds.FAILURES_BEFORE_DPS + 2

    def answered(evidence: Evidence) -> bool:
        tries = [entry.t for entry, _ in t.attempts(evidence)]
        if t.registered_after(evidence, 0) is not None or len(tries) > bounds.CONNECTS_SEEN:
            return True
        if len(tries) >= enough:
            # So many failures so soon: go on while that may still turn out to be hammering. By the pace of all, since a
            # single try may take its time where the machine is busy.
            took = tries[-1] - tries[0]
            missing, pace = bounds.CONNECTS + 1 - len(tries), took / (len(tries) - 1)
            return took >= bounds.CONNECTS_WITHIN or missing * pace > bounds.CONNECTS_WITHIN - took
        # A device waits at least as long as the last time.
        return len(tries) > 1 and (enough - len(tries)) * (tries[-1] - tries[-2]) > limit - tries[-1]

    await stage.until("the device to ask DPS, or to fail ten times", answered, bounds.TEN_FAILURES_WATCH)


async def token_expired(stage: Stage) -> str:
    """Refuse the device's token as expired, once."""
    await stage.order({"at": "connect", "do": "token-expires"})
    await stage.cut()
    return await _after_refusal(stage)


async def hub_moved(stage: Stage) -> str:
    """Forget the device in the hub until DPS has assigned it again."""
    await stage.order({"at": "connect", "do": "hub-moved"})
    await stage.cut()
    return await _after_refusal(stage)


async def _after_refusal(stage: Stage) -> str:
    if not await stage.until("the device to try to reconnect", _was_refused, bounds.FIRST_RECONNECT):
        return NOTHING

    def settled(evidence: Evidence) -> bool:
        return _back_from_refusal(evidence) or _tries_in_vain(evidence)

    def settled_or_late(evidence: Evidence) -> bool:
        return settled(evidence) or _refused_late(evidence)

    quiet = stage.quiet_for(_silence(stage), *_CONTACTS)
    if await stage.until("the device to come back", settled_or_late, quiet) and not settled(stage.evidence):
        await stage.until("what the device does next", settled, _AFTER_LATE)
    return _remembered(stage)


def _remembered(stage: Stage) -> str:
    """How a trial of a refused device ended. Note one that did nothing more at all: it does the same whatever the
    reason, for all that MQTT tells it is CONNACK 5."""
    back, memory = _back_from_refusal(stage.evidence), stage.memory
    silent = stage.recorder.now - _last_contact(stage)
    if memory.gives_up and not back and silent >= _SILENT_AGAIN:
        return t.SILENT
    memory.gives_up = silent >= min(bounds.REFUSED_SILENCE, stage.settings.trial_timeout)
    return saw(back)


def _silence(stage: Stage) -> float:
    """Seconds without a sign after which a refused device has stopped trying."""
    return _SILENT_AGAIN if stage.memory.gives_up else bounds.REFUSED_SILENCE


def _last_contact(stage: Stage) -> float:
    """When the device was heard of last; it was, for it was refused."""
    return stage.evidence.entries(*_CONTACTS)[-1].t


def _refused_late(evidence: Evidence) -> bool:
    """It goes on trying, and more slowly than can be waited for."""
    refusals = [entry.t for entry, e in t.attempts(evidence) if e.return_code != 0]
    return refusals[-1] - refusals[0] >= bounds.RETRY_AFTER_LATE


def _tries_in_vain(evidence: Evidence) -> bool:
    """More than ten refusals, and for long enough, or so many that it hammers: it goes on so for ever."""
    refusals = [entry.t for entry, e in t.attempts(evidence) if e.return_code != 0]
    if len(refusals) > bounds.CONNECTS_SEEN:
        return True
    enough = len(refusals) > bounds.FAILURES_BEFORE_DPS + 1
    return enough and refusals[-1] - refusals[0] >= bounds.TEN_FAILURES_WATCH


async def hub_disabled(stage: Stage) -> str:
    """Disable the device, and enable it again when it has shown what it does about that."""
    await stage.order({"at": "connect", "do": "disabled"})
    await stage.cut()
    if not await stage.until("the device to try to reconnect", _was_refused, bounds.FIRST_RECONNECT):
        return NOTHING

    def reacted(evidence: Evidence) -> bool:
        refusals = [entry.n for entry, e in t.attempts(evidence) if e.return_code != 0]
        registered = t.registered_after(evidence, refusals[0])
        return len(refusals) >= _TRIES or (registered is not None and refusals[-1] > registered.n)

    known = stage.memory.gives_up
    quiet = stage.quiet_for(_SILENT_AGAIN if known else bounds.FIRST_RECONNECT, *_CONTACTS)
    await stage.until("the device to register or try again", reacted, quiet)
    await stage.end_faults()
    enabled = stage.recorder.now
    # Its next try will be accepted, so it has as long as any other to make it.
    await stage.until(
        t.ENABLED, _back_from_refusal, lambda: (enabled if known else _last_contact(stage)) + _silence(stage)
    )
    return _remembered(stage)


async def twin_errors(stage: Stage) -> str:
    """Answer the started device's first twin read and report with errors, then see whether it is of use."""
    if not await stage.until("the device to connect", _connected):
        return NOTHING

    run = stage.run_evidence
    if run.entries(ev.TwinRequested, ev.ReportedPatched):
        await stage.until("the device to read or report its twin", lambda evidence: _strikes(evidence) >= 1)
    await stage.until("the device to read and report its twin", lambda evidence: _strikes(evidence) >= 2, _TELEMETRY)
    await stage.end_faults()
    return saw(await _is_of_use(stage))


async def _is_of_use(stage: Stage) -> bool:
    """Whether it deals with a desired property or a command that it listens for, or sends something."""
    if stage.evidence.device_gone:
        return False
    since, capability, command = stage.mark(), stage.writable(), stage.command()
    if capability is not None:
        listens = partial(_listens, "$iothub/twin/PATCH/properties/desired")
        if await stage.until("the device to listen for desired properties", listens, _TELEMETRY):
            return await stage.acknowledged(await stage.write(capability))
    if command is not None:
        listens = partial(_listens, "$iothub/methods/POST")
        await stage.until("the device to listen for commands", listens, bounds.IN_SERVICE)
        if (await stage.invoke(command)).status is not None:
            return True
    if stage.run_evidence.first(ev.TelemetryReceived) is not None:
        usual = t.usual_wait(stage.run_evidence, t.TWIN_ERRORS)
        if await _sends(stage, since, _TELEMETRY if usual is None else bounds.IN_SERVICE + usual):
            return True
    return capability is not None and await stage.acknowledged(await stage.write(capability))


def _strikes(evidence: Evidence) -> int:
    return len(evidence.of(ev.FaultPlayed))


def _listens(topic: str, evidence: Evidence) -> bool:
    filters = (f for _, e in evidence.of(ev.Subscribed) for f, *_ in e.filters)
    session = any(e.session_present for _, e in t.attempts(evidence) if e.return_code == 0)
    return session or any(f.startswith(topic) for f in filters)


def _accepted(evidence: Evidence) -> int | None:
    """The accepted CONNECT after the connection was cut."""
    cut = t.dropped(evidence)
    found = t.accepted_after(evidence, cut.n) if cut else None
    return found[0].n if found else None


def _back(evidence: Evidence) -> bool:
    return _accepted(evidence) is not None


def _connected(evidence: Evidence) -> bool:
    return t.accepted_after(evidence, 0) is not None


def _was_refused(evidence: Evidence) -> bool:
    return t.refused(evidence) is not None


def _back_from_refusal(evidence: Evidence) -> bool:
    found = t.refused(evidence)
    return found is not None and t.accepted_after(evidence, found[0].n) is not None

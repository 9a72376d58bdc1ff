"""Trials of a connected device: the hub cuts it off, is busy, does not know it, says things twice and late."""

from __future__ import annotations

from harness.checks import bounds
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.run.trials.stage import Stage
from harness.run.trials.trial import NOTHING, saw

_LATE = 1.0
"""Seconds by which a patch is late, so that the next one overtakes it."""
_TELEMETRY = 10.0
"""Seconds that telemetry is waited for after a reconnect where its interval is not known."""
_MARGIN = 3.0
"""Seconds beyond three intervals where it is known."""
_SILENT = bounds.FIRST_RECONNECT
"""A device that was refused and is not heard of for so long has stopped trying."""
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
    """Let one desired patch be overtaken by the next."""
    capability = stage.writable()
    if capability is None:
        return "no writable property to show it by"
    await stage.order({"at": "desired", "do": "delay", "seconds": _LATE})
    old = await stage.write(capability)
    await stage.acknowledged(await stage.write(capability))

    def late(evidence: Evidence) -> bool:
        return any(e.version == old.version and e.delivered for _, e in evidence.of(ev.DesiredChanged))

    await stage.until("the older patch to be delivered", late, _LATE + 5)
    # Its answer shows that the device has dealt with all that came before.
    return saw(await stage.acknowledged(await stage.write(capability)))


async def hub_cut(stage: Stage) -> str:
    """Cut the connection, and see the device come back and go on."""
    await stage.cut()
    if not await stage.until("the device to reconnect", _back, bounds.IN_SERVICE):
        return NOTHING
    if stage.run_evidence.first(ev.TelemetryReceived) is None:
        return "a reconnect"

    def sends(evidence: Evidence) -> bool:
        back = _accepted(evidence)
        return back is not None and any(n > back for n, _ in evidence.of(ev.TelemetryReceived))

    tried = t.Tried(t.HUB_CUT, stage.evidence, stage.run_evidence, 0, "", 0.0)
    gap = t.usual_gap(tried)
    patience = _TELEMETRY if gap is None else min(3 * gap + _MARGIN, bounds.IN_SERVICE)
    return saw(await stage.until("telemetry to go on", sends, patience))


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
    if command is not None:
        await stage.invoke(command)
    elif capability is not None:
        await stage.acknowledged(await stage.write(capability))
    return "the device back"


async def _ten_failures(stage: Stage) -> None:
    """Go on until the device asks DPS, has failed more than ten times, or would need too long for that."""
    limit = stage.recorder.now + bounds.TEN_FAILURES_WATCH
    enough = bounds.FAILURES_BEFORE_DPS + 2

    def answered(evidence: Evidence) -> bool:
        tries = [entry.t for entry, _ in t.attempts(evidence)]
        if t.registered_after(evidence, 0) is not None or len(tries) > bounds.CONNECTS:
            return True
        if len(tries) >= enough:
            # So many failures so soon: go on while that may still turn out to be hammering.
            missing, left = bounds.CONNECTS + 1 - len(tries), bounds.CONNECTS_WITHIN - (tries[-1] - tries[0])
            return missing * (tries[-1] - tries[-2]) > left
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
    silence = stage.quiet_for(_SILENT, *_CONTACTS)
    limit = stage.recorder.now + bounds.RETRY_AFTER_LATE
    return saw(await stage.until("the device to come back", _back_from_refusal, lambda: min(silence(), limit)))


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

    if not await stage.until("the device to register or try again", reacted, stage.quiet_for(_SILENT, *_CONTACTS)):
        return NOTHING
    await stage.end_faults()
    silence = stage.quiet_for(_SILENT, *_CONTACTS)
    return saw(await stage.until("the enabled device to come back", _back_from_refusal, silence))


async def twin_errors(stage: Stage) -> str:
    """Answer the started device's first twin read and report with errors, then see whether it is of use."""
    if not await stage.until("the device to connect", _connected, stage.settings.connect_timeout):
        return NOTHING

    def struck(evidence: Evidence) -> bool:
        return len(evidence.of(ev.FaultPlayed)) >= 2

    await stage.until("the device to read and report its twin", struck, _TELEMETRY)
    await stage.end_faults()
    capability = stage.writable()
    if capability is not None:
        listening = await stage.until("the device to listen for desired properties", _listens, _TELEMETRY)
        return saw(await stage.acknowledged(await stage.write(capability))) if listening else NOTHING

    since = stage.mark()

    def sends(evidence: Evidence) -> bool:
        return any(n > since for n, _ in evidence.of(ev.TelemetryReceived))

    return saw(await stage.until("telemetry to go on", sends, bounds.IN_SERVICE))


def _listens(evidence: Evidence) -> bool:
    filters = (f for _, e in evidence.of(ev.Subscribed) for f, *_ in e.filters)
    session = any(e.session_present for _, e in t.attempts(evidence) if e.return_code == 0)
    return session or any(f.startswith("$iothub/twin/PATCH/properties/desired") for f in filters)


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

"""The record of a run: opened or read again, sorted by model as it grows, and closed with the journal."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace

from harness.checks.evidence import Evidence
from harness.dtdl import Model
from harness.expectations import to_json
from harness.record import events as ev
from harness.record.events import Entry, Event
from harness.record.journal import SafeEncoder
from harness.record.reading import read
from harness.record.recorder import Recorder
from harness.record.redact import Redactor
from harness.record.writer import LineWriter, ReportFolder
from harness.run.versions import versions
from harness.settings import Settings
from harness.verdict import CaseResult

REPORTS = ("result.json", "junit.xml", "report.html", "aics.json", "journal.jsonl", "device.log")


class Kept:
    """What is known of a run, in memory and in its folder; or of the one whose journal is judged again."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.redactor = Redactor(settings.redact)
        self.redactor.add(*settings.secrets())
        self.folder = ReportFolder(settings.reports, self.redactor)
        self.model: Model | None = None
        self.model_id = settings.model_id
        self.recorder = Recorder()
        self.evidence = Evidence(self.model_id)
        self.recorded: ev.RunEnded | None = None
        """How the run ended whose journal is judged again; None where it did not."""
        self.damage: tuple[str, ...] = ()
        """Of the journal that is judged again, in sentences."""
        self._say = say
        self._encoder = SafeEncoder(self.redactor)
        self._journal: LineWriter | None = None
        self._device_log: LineWriter | None = None

    def emit(self, event: Event) -> None:
        """Add an event to the record."""
        self.recorder.emit(event)

    def _open_record(self) -> None:
        if self.settings.replay:
            journal = read(self.settings.replay, self.redactor)
            self.recorded = next((e.event for e in journal.entries if isinstance(e.event, ev.RunEnded)), None)
            self.recorder = Recorder.replay(journal.entries)
            self.damage = journal.faults
            self._follow(self.model_id, None)
            return
        self.folder.prepare(REPORTS)
        self._journal = self.folder.lines("journal.jsonl")
        self._device_log = self.folder.lines("device.log", rendered=False)
        for fault in self.folder.faults:
            self._say(f"reports: {fault}")
        self.recorder = Recorder(self._journal, encoded=self._encoder)
        self._follow(self.model_id, None)
        started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        self.emit(ev.RunStarted(started, self.settings.as_record(), versions()))
        stated = to_json(self.settings.expectations)
        if stated:
            self.emit(ev.ExpectationsStated(stated))

    def _follow(self, model_id: str | None, model: Model | None) -> None:
        """Read the whole record again against this model, and go on reading as it grows."""
        self.model_id, self.model = model_id, model
        evidence = Evidence(model_id, model)
        self.recorder.follow(self._lenient(evidence) if self.settings.replay else evidence.add)
        self.evidence = evidence

    def _lenient(self, evidence: Evidence) -> Callable[[Entry], None]:
        """A journal may come from anywhere: an entry that cannot be judged is left out, and that is said."""

        def add(entry: Entry) -> None:
            try:
                evidence.add(entry)
            except Exception as e:
                fault = f"entry {entry.n} ({entry.event.kind}) cannot be judged: {type(e).__name__}: {e}"
                self.damage = (*self.damage, *({fault} - set(self.damage)))

        return add

    def _close_record(self) -> None:
        """Close what was written. From here on the record is as the journal has it, so that no report shows more."""
        for file in (self._journal, self._device_log):
            if file is not None:
                file.close()
        changed = self._encoder.changed
        if changed:
            self.recorder = Recorder.replay(tuple(changed.get(e.n, e) for e in self.recorder.entries))
            self._follow(self.model_id, self.model)


def without_secrets(result: CaseResult, redactor: Redactor) -> CaseResult:
    """The result as it may be shown: masked before its texts are joined, shortened or escaped."""
    clean = redactor.clean
    findings = tuple(
        replace(
            finding,
            element=clean(finding.element),
            message=clean(finding.message),
            expected=clean(finding.expected),
            actual=clean(finding.actual),
            remedy=clean(finding.remedy),
        )
        for finding in result.findings
    )
    return replace(result, findings=findings, reason=clean(result.reason))

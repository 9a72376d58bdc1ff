"""report.html: whole, self-contained, linked, harmless, for every kind of run."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.record import events as ev
from harness.report import write_reports
from harness.report.html.page import page
from harness.run import Run
from tests.report import stories
from tests.report.pages import Page
from tests.report.stories import HOSTILE, Tale, replayed, summary_of

TALES: dict[str, Callable[[], Tale]] = {
    "good": stories.good,
    "bad": stories.bad,
    "tried": stories.tried,
    "blocked": stories.blocked,
    "interrupted": stories.interrupted,
    "empty": Tale,
}


def rendered(tale: Tale, folder: Path) -> tuple[Run, str, Page]:
    run = replayed(tale, folder)
    text = page(run, summary_of(run))
    return run, text, Page(text)


@pytest.mark.parametrize("name", TALES)
def test_every_run_makes_a_whole_page(name: str, tmp_path: Path) -> None:
    _, text, read = rendered(TALES[name](), tmp_path)
    assert (read.unclosed, read.misplaced, read.comments) == ([], [], [])
    assert sorted(read.ids) == sorted(set(read.ids))
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert all(link.startswith("#") for link in read.addresses())
    assert len(text.encode()) < 2_000_000


@pytest.mark.parametrize("name", TALES)
def test_a_screen_reader_finds_its_way(name: str, tmp_path: Path) -> None:
    _, _, read = rendered(TALES[name](), tmp_path)
    tags = [tag for tag, _ in read.elements]
    assert all(tags.count(tag) == 1 for tag in ("h1", "main", "nav", "header", "footer"))
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in a for tag, a in read.elements if tag == "th")
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    for _, attributes in read.elements:
        for ident in attributes.get("aria-labelledby", "").split():
            assert ident in read.ids
    for svg in read.all("svg"):
        assert svg["role"] == "img"
        assert svg["aria-labelledby"]


def test_nothing_runs_but_its_own_script(tmp_path: Path) -> None:
    _, text, read = rendered(stories.bad(), tmp_path)
    (policy,) = (m["content"] for m in read.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    (script,) = (data for tag, data in read.texts if tag == "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy
    assert len(read.all("script")) == 1
    assert not [name for _, a in read.elements for name in a if name.startswith("on") or name == "style"]
    assert "http:" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)


def test_hostile_words_are_shown_and_do_nothing(tmp_path: Path) -> None:
    _, text, read = rendered(stories.bad(), tmp_path)
    assert not read.all("img")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]", text)
    assert "<script>alert(1)</script>" in read.text
    assert "\\u001b[31m\\u202e" in read.text
    assert "{{7*7}}" in read.text
    assert HOSTILE not in text


def test_the_findings_are_those_of_the_result(tmp_path: Path) -> None:
    run = replayed(stories.bad(), tmp_path)
    summary = summary_of(run)
    read = Page(page(run, summary))
    assert len(read.all("article", class_="finding s-error")) == sum(
        f["severity"] == "error" for f in summary["findings"]
    )
    assert len([a for _, a in read.elements if a.get("class", "").startswith("finding ")]) == len(summary["findings"])
    for finding in summary["findings"]:
        for text in (finding["code"], finding["remedy"], finding["requirement"]):
            assert " ".join(text.split())[:60] in read.text
    for requirement in summary["requirements"]:
        assert requirement["id"] in read.text
    for case in summary["cases"]:
        assert case["id"] in read.text
    for name, t in summary["timing"].items():
        assert f"{name.replace('_', ' ')} {'never' if t is None else f'{t:.3f}'}" in read.text


def test_evidence_is_linked_both_ways(tmp_path: Path) -> None:
    run = replayed(stories.bad(), tmp_path)
    summary = summary_of(run)
    read = Page(page(run, summary))
    cited = {n for f in summary["findings"] for n in f["events"]}
    assert cited
    assert {f"m{n}" for n in cited} <= set(read.ids)
    assert {f"#m{n}" for n in cited} <= set(read.links)
    linked = {link for link in read.links if link.startswith("#F")}
    assert len(linked) >= sum(bool(f["events"] or f["element"]) for f in summary["findings"])
    raw = [i for i in read.ids if re.fullmatch(r"r\d+", i)]
    assert raw
    assert {f"#{i}" for i in raw} <= set(read.links)


def test_payloads_are_shown_as_they_came(tmp_path: Path) -> None:
    _, text, read = rendered(stories.bad(), tmp_path)
    assert "000000 00 ff fe 00 ff fe" in read.text
    assert "Not UTF-8 at byte 1." in read.text
    assert "Shortened: 1,000,012 bytes in all, whole in journal.jsonl." in read.text
    assert "Not JSON:" in read.text
    assert "x" * 5000 not in text


def test_facts_of_the_device(tmp_path: Path) -> None:
    _, _, read = rendered(stories.good(), tmp_path)
    for words in ("Device Pump 7", "Firmware 4.5.6", "SDK acme-sdk/1.2(linux)", "TLS TLSv1.2", "Device id dev1"):
        assert words in read.text


def test_a_plot_has_its_range_and_its_gap_in_words_too(tmp_path: Path) -> None:
    _, _, read = rendered(stories.good(), tmp_path)
    assert "60 messages, 2.00 s to 66.00 s. Values 20 to 26" in read.text
    assert "Stated range 0 to 50." in read.text
    assert "1 gap longer than 1.6 s, by the stated interval of 1 s." in read.text
    classes = [a.get("class", "") for _, a in read.elements]
    assert "series bound" in classes
    assert "series gap" in classes


def test_exchanges_are_told_in_one_row(tmp_path: Path) -> None:
    _, _, read = rendered(stories.good(), tmp_path)
    assert "speed set to 7" in read.text
    assert "after 5 ms: ac 200, value 7, av 2, “done” ✓ acknowledged" in read.text
    assert "prime invoked with 3" in read.text
    assert "after 5 ms: status 200, true ✓ answered" in read.text


def test_the_answer_in_a_row_is_the_one_that_was_judged(tmp_path: Path) -> None:
    tale = stories.Tale().begun().connected()
    tale.set(4.0, "speed", 7, 2, {"value": 7, "ac": 202, "av": 2})
    tale.reported(4.5, {"speed": {"value": 7, "ac": 200, "av": 2}})
    tale.set(5.0, "speed", 8, 3, {"value": 8, "ac": 200, "av": 9})
    _, _, read = rendered(tale.ended(6.0), tmp_path)
    assert "after 500 ms: ac 200, value 7, av 2 ✓ acknowledged" in read.text
    assert "after 5 ms: ac 200, value 8, av 9 acknowledged" in read.text
    assert "no answer" not in read.text


def test_trials_have_a_section_of_their_own(tmp_path: Path) -> None:
    _, _, read = rendered(stories.tried(), tmp_path)
    assert "trials" in read.ids
    assert "Hub cut" in read.text
    assert "at publish do cut" in read.text
    assert "It ended with: what was awaited. It took 2.10 s." in read.text
    assert "It ended with: the record ends in the middle of it." in read.text
    _, _, without = rendered(stories.good(), tmp_path)
    assert "trials" not in without.ids


def test_a_blocked_run_says_its_cause_first(tmp_path: Path) -> None:
    _, text, read = rendered(stories.blocked(), tmp_path)
    head = Page(text[: text.index("<nav")]).text
    assert "Failed" in head
    assert "The device never registered with DPS" in head
    assert "never connected" in read.text
    assert "telemetry" not in read.ids


def test_an_interrupted_run_says_so(tmp_path: Path) -> None:
    _, text, _ = rendered(stories.interrupted(), tmp_path)
    assert "interrupted from the keyboard" in Page(text[: text.index("<nav")]).text


def test_manual_tasks_are_listed_where_there_are_some(tmp_path: Path) -> None:
    run = replayed(stories.good(), tmp_path)
    task = {"requirement": "IoTPnP.Physicaldevice", "task": "Follow the <guide>."}
    read = Page(page(run, {**summary_of(run), "manual": [task]}))
    assert "IoTPnP.Physicaldevice Follow the <guide>." in read.text
    assert "manual" not in Page(page(run, {**summary_of(run), "manual": []})).ids


def test_secrets_are_masked_and_the_page_stays_whole(tmp_path: Path) -> None:
    secret = "pass<w>'ord&1="
    shapes = [
        "HostName=h;SharedAccessKey=c2VjcmV0",
        "SharedAccessSignature sr=x&sig=abc%3d&se=1",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB",
        '{"primaryKey": "c2VjcmV0"}',
        f"mine is {secret}",
    ]
    tale = stories.good()
    for shape in shapes:
        tale.telemetry(75.0, {"flow": shape}, properties={"note": shape})
        tale.telemetry(75.0, shape.encode())
        tale.at(75.0, ev_violation(shape))
    run = replayed(tale, tmp_path)
    run.redactor.add(secret)
    write_reports(run)
    text = (run.folder.path / "report.html").read_text(encoding="utf-8")
    read = Page(text)
    assert run.folder.faults == []
    for told in ("c2VjcmV0", "abc%3d", "MIIB", secret, "ord&amp;1"):
        assert told not in text
    assert (read.unclosed, read.misplaced) == ([], [])
    assert "***" in read.text
    assert "About this report" in read.text


def test_a_report_that_cannot_be_made_loses_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = replayed(stories.good(), tmp_path)
    monkeypatch.setattr("harness.report.html.page.context", lambda *a: 1 / 0)
    write_reports(run)
    assert (run.folder.path / "result.json").exists()
    assert not (run.folder.path / "report.html").exists()
    assert "report.html could not be made (ZeroDivisionError" in run.folder.faults[0]


def test_a_long_run_is_shortened_and_says_so(tmp_path: Path) -> None:
    tale = stories.Tale().begun().connected()
    for i in range(3000):
        tale.telemetry(1 + i / 100, {"flow": i % 50})
    cited = tale.telemetry(31.5, {"flow": "wet"})
    tale.ended(32.0)
    _, text, read = rendered(tale, tmp_path)
    assert len(text) < 400_000
    assert "Messages shown: flow 41 of 3,001" in read.text or "Messages shown: flow 40 of 3,001" in read.text
    assert f"m{cited}" in read.ids
    assert "3,001 messages" in read.text


def ev_violation(text: str) -> ev.ProtocolViolation:
    return ev.ProtocolViolation("dev1", None, "rule", text, False)

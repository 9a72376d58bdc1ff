"""Secrets are masked on every road to a file."""

from __future__ import annotations

import base64
import urllib.parse
from pathlib import Path

import pytest

from harness.record.redact import MASK, Redactor
from harness.record.writer import ReportFolder

KEY = base64.b64encode(bytes(range(200, 248))).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"key is {KEY}",
        f"sig={urllib.parse.quote(KEY, safe='')}&se=1",
        f"sig={urllib.parse.quote(KEY)}&se=1",
        f"HostName=h;SharedAccessKeyName=p;SharedAccessKey={KEY}",
        KEY.replace("/", "\\/"),
    ],
)
def test_a_known_secret_is_masked_in_every_spelling(text: str) -> None:
    redactor = Redactor()
    redactor.add(KEY)
    cleaned = redactor.clean(text)
    assert KEY[:20] not in cleaned
    assert "***" in cleaned


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("HostName=h;SharedAccessKey=abcdefgh", "HostName=h;SharedAccessKey=***"),
        ("SharedAccessSignature sr=x&sig=abc%3D&se=5", "SharedAccessSignature sr=x&sig=***&se=5"),
        ('{"primaryKey": "abcdefgh"}', '{"primaryKey": "***"}'),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "-----END PRIVATE KEY-----"),
    ],
)
def test_an_unknown_secret_is_known_by_its_shape(text: str, kept: str) -> None:
    cleaned = Redactor().clean(text)
    assert kept in cleaned
    assert "abc" not in cleaned


def test_short_strings_are_no_secrets() -> None:
    redactor = Redactor()
    redactor.add("1", "", None)
    assert redactor.clean("101") == "101"


def test_reports_and_lines_are_written_redacted(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.add(KEY)
    folder = ReportFolder(tmp_path / "reports", redactor)
    folder.prepare(("old.txt",))
    folder.write("whole.txt", f"a {KEY} b")
    line = folder.lines("lines.txt")
    line(f"c {KEY} d")
    line.close()
    line("after the end")
    assert (folder.path / "whole.txt").read_text() == "a *** b"
    assert (folder.path / "lines.txt").read_text() == "c *** d\n"
    assert folder.faults == []


@pytest.mark.parametrize("before", [b"\xff", b"\xff\xff", b"\xff\xff\xff", b"\xff" * 4])
@pytest.mark.parametrize("after", [b"", b"\xfe", b"\xfe\xfe"])
def test_a_secret_in_a_payload_that_is_not_text_is_masked_in_its_base64(before: bytes, after: bytes) -> None:
    redactor = Redactor()
    secret = "cXVpdGUgYSBzZWNyZXQga2V5"
    redactor.add(secret)
    cleaned = redactor.clean(base64.b64encode(before + secret.encode() + after).decode())
    assert MASK in cleaned
    masked = cleaned.replace(MASK, "")
    assert len(masked) <= 16, "no more than the neighbours and the ends are left"

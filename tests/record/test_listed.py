"""What the user lists to be masked: read, refused with a reason, and masked wherever it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.record.redact import MASK, LogCleaner, Redactor
from harness.settings import SettingsError, load, redactions

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ("abc", "4 characters at least"),
        ("/(abc/", "no regular expression"),
        ("/x*/", "matches an empty text"),
        ("env:", "followed by the name"),
        (5, "a text or a list of texts"),
        ([["a"]], "a text or a list of texts"),
    ],
)
def test_what_cannot_be_masked_is_refused_without_repeating_it(tmp_path: Path, listed: object, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as error:
        load({"redact": listed}, {}, tmp_path)
    assert "redact = ***" in str(error.value)


def test_what_the_layers_list_adds_up_and_stands_in_no_record(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text('redact = ["from the file", "/pin=(\\\\d+)/"]', encoding="utf-8")
    environment = {"PREFLIGHT_REDACT": "from the environment\nenv:WIFI", "WIFI": "first line\nsecond line"}
    settings = load({"redact": ["from the command line"]}, environment, tmp_path)
    texts = {one for one in settings.redact if isinstance(one, str)}
    assert {"from the file", "from the environment", "from the command line", "first line", "second line"} <= texts
    assert "env:WIFI" not in texts
    assert [one.pattern for one in settings.redact if isinstance(one, re.Pattern)] == [r"pin=(\d+)"]
    assert "from the" not in json.dumps(settings.as_record()) + repr(settings)


def test_a_variable_that_is_not_set_and_a_secret_in_the_history_are_noted(tmp_path: Path) -> None:
    notes = load({"redact": ["env:NO_SUCH", "my secret"]}, {}, tmp_path).notes
    assert notes[0] == "redact: the variable NO_SUCH is not set."
    assert "shell's history" in notes[1]
    assert load({"redact": ["env:NO_SUCH", "/x+/"]}, {}, tmp_path).notes == notes[:1]


@pytest.mark.parametrize(
    ("held", "listed"),
    [
        ("123\n", ()),
        (" \n \n", ()),
        ("1234\n", ("1234",)),
        ("abc\n1234\n  secret\n", ("abc\n1234\n  secret", "1234", "secret")),
    ],
)
def test_what_a_variable_holds_is_measured_without_blanks_around_it(held: str, listed: tuple[str, ...]) -> None:
    found, notes = redactions.resolved(("env:PIN",), {"PIN": held})
    assert found == listed
    assert bool(notes) is not bool(listed)


@pytest.mark.parametrize(
    ("listed", "text", "masked"),
    [
        (r"/pin=\d+/", "pin=12 pin=7", "*** ***"),
        (r"/pin=(\d+)/", "pin=12 pin=7", "pin=*** pin=***"),
        (r"/((a)b)(c)?/", "abab", "***" * 2),
        (r"/(?i)psk: (\S+)|key (\S+)/", "PSK: q1 key z9", "PSK: *** key ***"),
        ("12345678", '{"flow": 12345678.5}', '{"flow": ***.5}'),
    ],
)
def test_an_expression_masks_its_groups_or_all_of_it(listed: str, text: str, masked: str) -> None:
    assert Redactor(redactions.read(listed)).clean(text) == masked


def test_a_number_of_ours_in_a_document_stays_though_it_is_listed() -> None:
    redactor = Redactor(["123456"])
    assert json.loads(redactor.clean_rendered('{"t": 1.123456, "n": 123456}')) == {"t": 1.123456, "n": 123456}
    assert redactor.clean_value({"pin": 123456, "pins": [123456, True, None]}) == {
        "pin": MASK,
        "pins": [MASK, True, None],
    }


@pytest.mark.parametrize(
    "text", ["…correct-horse-bat…", "'…ry-staple'", "correct-horse-…-staple", "correct-hor...staple"]
)
def test_a_secret_that_was_cut_short_is_masked_too(text: str) -> None:
    cleaned = Redactor(["correct-horse-battery-staple"]).clean(text)
    assert MASK in cleaned
    assert not {"correct", "staple"} & set(re.findall(r"[a-z]+", cleaned))


def test_a_log_hides_a_key_that_goes_over_many_lines() -> None:
    clean = LogCleaner(Redactor().clean)
    lines = [clean(f"I (12) tls: {line}") for line in ["before", *PEM.splitlines(), "behind"]]
    assert lines[0] == "I (12) tls: before"
    assert lines[2:4] == [MASK, MASK]
    assert lines[-1] == "I (12) tls: behind"
    endless = [clean(line) for line in ["-----BEGIN EC PRIVATE KEY-----", *["firmware says hello"] * 200]]
    assert endless[-1] == "firmware says hello", "a beginning without an end hides no whole log"


@pytest.mark.parametrize("text", [PEM, PEM[:60], PEM[30:], PEM.replace("\n", "\\n"), f"x {PEM[40:]} y {PEM[:50]}"])
def test_a_key_is_masked_also_where_its_beginning_or_end_is_missing(text: str) -> None:
    cleaned = Redactor().clean(text)
    assert not re.search("MIIE|AQEF|ASCB", cleaned)
    assert Redactor().clean(cleaned) == cleaned
    assert Redactor().clean_rendered(cleaned) == cleaned


def test_a_document_goes_on_behind_a_key_that_has_no_end() -> None:
    page = json.dumps({"a": "-----BEGIN PRIVATE KEY-----\nMIIEvQ", "b": 'quoted \\"'})
    assert json.loads(Redactor().clean_rendered(page))["b"] == 'quoted \\"'


def test_hostile_texts_take_no_time() -> None:
    redactor = Redactor(["correct-horse-battery-staple"])
    redactor.add("c29tZSBrZXkgb2YgYSBodWIgdGhhdCBub2JvZHkga25vd3M=")
    for piece in ("...", "eyJ-", "\\", "-----BEGIN PRIVATE KEY-----", "sig=", '"primaryKey"', "A", "SharedAccessKey="):
        cleaned = redactor.clean(piece * (262_144 // len(piece)) + "key sig= eyj private key-----")
        assert len(cleaned) < 3_000_000

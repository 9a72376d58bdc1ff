"""The catalogue is complete, and finds what people type and paste."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.edge import MANUAL
from harness.diagnosis import CATALOGUE, FAMILIES, SERVICES, best_cited, cited, explain, lookup, quoted_remedy
from harness.emulator.errors import CODE_NAMES
from tests.paths import SHARED

SHEETS = [SHARED / "facts" / "errors.md", *sorted((SHARED / "seeds").glob("*.txt"))]
needs_sheets = pytest.mark.skipif(not SHEETS[0].exists(), reason="../shared is not here")

SIX = re.compile(r"(?<![\d/])[45]\d{5}(?!\d)")
THREE = re.compile(r"^\|\s*\*{0,2}([45]\d{2})\b", re.MULTILINE)
CODE_LIKE = re.compile(r"\bDEVICE_[A-Z]+\b|\b401 (IoTHubUnauthorized)\b")
STATES = ("Provisioned", "Registered", "Blocked", "Unapproved", "Unassigned")


def codes_in(text: str) -> set[str]:
    """Also those that are written together: `400004/5/6`, `400501–400508`."""
    found = set(SIX.findall(text))
    for start, others in re.findall(r"(?<!\d)([45]\d{5})((?:/\d)+)", text):
        found |= {start[:5] + digit for digit in others.split("/")[1:]}
    for first, last in re.findall(r"(?<!\d)([45]\d{5})–([45]\d{5})", text):
        found |= {str(code) for code in range(int(first), int(last) + 1)}
    return found


@needs_sheets
@pytest.mark.parametrize("path", SHEETS, ids=lambda p: p.stem[:3])
def test_every_code_of_the_sources_is_known(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    codes = {*codes_in(text), *THREE.findall(text), *(m[0] for m in CODE_LIKE.finditer(text))}
    codes |= {state for state in STATES if f"| {state} |" in text}
    assert [code for code in sorted(codes) if not explain(code).entries] == []


@needs_sheets
def test_every_code_of_the_sheets_was_looked_for() -> None:
    found = {code for path in SHEETS for code in codes_in(path.read_text(encoding="utf-8"))}
    assert len(found) > 60
    assert {"401002", "400209", "403006", "404103", "504101"} <= found


def test_every_code_that_the_emulator_answers_is_known() -> None:
    assert [code for code in CODE_NAMES if lookup(str(code)) is None] == [501000]  # the emulator's own


@pytest.mark.parametrize("code", range(6))
def test_every_connack_code_is_known(code: int) -> None:
    assert explain(f"CONNACK {code}").entries[0].service == "mqtt"


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda e: f"{e.service}-{e.code}")
def test_every_entry_says_everything(entry) -> None:  # type: ignore[no-untyped-def]
    assert entry.service in SERVICES
    assert all((entry.name, entry.meaning, entry.device, entry.maker, entry.source))
    assert isinstance(entry.retryable, bool)
    assert entry.meaning.endswith(".")
    assert entry.maker.endswith(".")
    assert entry in explain(entry.code).entries


def test_no_service_lists_a_code_twice() -> None:
    keys = [(e.service, e.code) for e in CATALOGUE]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("401002", ["dps", "hub", "central"]),
        ("hub 401002", ["hub", "dps", "central"]),
        ("429", ["dps", "hub", "central"]),
        ("twin PATCH answered 429", ["hub", "dps", "central"]),
        ("403006", ["central", "upload"]),
        ("file upload 403006", ["upload", "central"]),
    ],
)
def test_a_code_of_several_services_is_shown_for_all_the_one_that_is_meant_first(text: str, found: list[str]) -> None:
    assert [e.service for e in explain(text).entries] == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DeviceNotConnected", "404103"),
        ("Failed to get Digital Twin Model ID of device xx due to DeviceNotConnected", "404103"),
        ("DeviceNotOnline", "404102"),
        ("DEVICE_DISABLED", "DEVICE_DISABLED"),
        ("401 IoTHubUnauthorized DEVICE_BLOCKED", "DEVICE_BLOCKED"),
        ("blocked", "Blocked"),
        ("BadRequest ... 400012 ...", "400012"),
        ('failed: {"errorCode":401000,"trackingId":"8a1d-403012-1","message":"Unauthorized"}', "401000"),
        ("Connection Refused: not authorised.", "CONNACK 5"),
        ("rc=4", "CONNACK 4"),
        ("connack 3", "CONNACK 3"),
        ("Custom allocation failed with status code 404", "400207"),
        ('{"Message":"ErrorCode:DeviceNotFound;E2E diagnostics"}', "404001"),
        ("2026-01-02 10:00:00.400004 ERROR DPS said 404201", "404201"),
    ],
)
def test_a_code_is_found_in_what_is_pasted(text: str, code: str) -> None:
    assert explain(text).entries[0].code == code


@pytest.mark.parametrize(
    ("text", "unknown", "family", "nearest"),
    [
        ("404105", "404105", "404", "404104"),
        ("401999", "401999", "401", "401100"),
        ("413", "413", "413", "413000"),
        ("599", "599", None, None),
        ("unasigned", "", None, "Unassigned"),
        ("device was blocked by the cat for the whole afternoon", "", None, None),
    ],
)
def test_an_unknown_code_gets_its_family_and_the_nearest(
    text: str, unknown: str, family: str | None, nearest: str | None
) -> None:
    found = explain(text)
    assert found.entries == ()
    assert found.unknown == unknown
    assert (found.family.digits if found.family else None) == family
    assert (found.nearest[0].code if found.nearest else None) == nearest


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    explain(text)
    cited(text)


def test_only_what_a_sentence_cites_is_explained() -> None:
    assert cited("DPS refused the registration with 401 (401002): wrong") == ("401002",)
    assert cited('{"errorCode":404103,"trackingId":"x"}') == ("404103",)
    assert cited("error 504101, then CONNACK 5") == ("504101", "CONNACK 5")
    assert best_cited("CONNACK 5", "it said (401003)") == "401003"
    assert cited("the value 400012 is out of range") == ()
    assert cited("400012") == ()
    assert quoted_remedy("the hub answered (403002)") == lookup("403002").maker  # type: ignore[union-attr]
    assert quoted_remedy("all is well") == ""


def test_families_are_http_statuses() -> None:
    assert all(digits == family.digits for digits, family in FAMILIES.items())
    assert {e.code[:3] for e in CATALOGUE if e.code.isdigit()} <= FAMILIES.keys()


def test_what_a_person_looks_at_is_listed_once() -> None:
    names = [m.requirement for m in MANUAL]
    assert len(names) == len(set(names)) == 22
    assert all(m.look_at.endswith(".") for m in MANUAL)

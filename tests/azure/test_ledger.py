"""The list of what was made in Azure: its owner's alone, shared by runs, and never guessed at."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from harness.azure.cost import FREE_A_DAY, estimate
from harness.azure.ledger import DEVICE, Ledger, LedgerError, Made


def test_it_is_readable_by_its_owner_only_and_gone_when_empty(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state")
    made = Made(DEVICE, "a", "h", "m")
    ledger.note(made)
    if os.name == "posix":
        assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert ledger.entries() == [made]
    assert made.in_use
    ledger.keep(made)
    assert [one.kept for one in ledger.entries()] == [True]
    ledger.forget(ledger.entries()[0])
    assert not ledger.path.exists()


def test_runs_side_by_side_lose_nothing(tmp_path: Path) -> None:
    def note(n: int) -> None:
        Ledger(tmp_path).note(Made(DEVICE, str(n), "h", "m"))

    threads = [threading.Thread(target=note, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(one.id) for one in Ledger(tmp_path).entries()) == list(range(12))


def test_a_process_of_the_same_number_is_not_the_run(tmp_path: Path) -> None:
    assert not Made(DEVICE, "a", "h", "m", pid=os.getpid(), began=1.0).in_use


@pytest.mark.parametrize("text", ["", "{", "[]", '{"made": [1]}', '{"made": [{"kind": "device"}]}', "\ufeff{}"])
def test_a_damaged_list_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.path.write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError, match="is damaged"):
        ledger.entries()
    with pytest.raises(LedgerError, match="is damaged"):
        ledger.note(Made(DEVICE, "a", "h", "m"))
    assert ledger.path.read_text(encoding="utf-8") == text


def test_what_a_later_version_notes_beside_it_is_passed_over(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.note(Made(DEVICE, "a", "h", "m"))
    document = json.loads(ledger.path.read_text())
    document["made"][0]["colour"] = "blue"
    ledger.path.write_text(json.dumps(document))
    assert ledger.entries()[0].id == "a"


def test_nothing_can_be_made_where_nothing_can_be_noted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written to"):
        Ledger(tmp_path / "file").note(Made(DEVICE, "a", "h", "m"))


def test_a_standard_run_fits_the_free_tier_many_times_over() -> None:
    from harness.run import models

    folder = str(Path(__file__).parents[2] / "dtdl_models")
    root = "dtmi:com:example:preflight:ClimateStation;1"
    model, _ = models.resolve(root, (folder,))
    assert model is not None
    capabilities = model.capabilities(root)
    standard = estimate(capabilities, window=60, smoke=False)
    smoke = estimate(capabilities, window=10, smoke=True)
    assert smoke.messages < standard.messages < FREE_A_DAY / 5
    assert "of a free hub's 8,000 a day" in standard.sentence()
    assert estimate([], window=60, smoke=False).telemetry == 0

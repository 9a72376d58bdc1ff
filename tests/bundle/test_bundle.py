"""Bundles: made of a report folder, intact or not, signed or not."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.bundle import BundleError, archive, make, manifest, verify
from harness.record import Recorder
from harness.record import events as ev

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A small report folder, with a warning whose words a device chose."""
    folder = tmp_path / "reports"
    folder.mkdir()
    lines: list[str] = []
    recorder = Recorder(lines.append)
    recorder.emit(ev.RunStarted("2026-01-02T03:04:05.678+00:00", {"dut": "my device"}, {"python": "3.12"}))
    recorder.emit(ev.ModelResolved("dtmi:a:B;1", "models", {"dtmi:a:B;1": {"@id": "dtmi:a:B;1"}}, {"dtmi:a:B;1": "x"}))
    (folder / "journal.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "device.log").write_text("hello\n", encoding="utf-8")
    result = {
        "verdict": "passed-with-warnings",
        "device_id": "dev1",
        "model_id": "dtmi:a:B;1",
        "target": "local",
        "requirements": [{"id": "IoTPnP.D2C", "outcome": "warning"}],
        "findings": [
            {"code": "x", "severity": "warning", "requirement": "IoTPnP.D2C", "element": HOSTILE, "message": HOSTILE}
        ],
        "cases": [{"id": "model_is_found", "outcome": "blocked", "reason": "No model is known."}],
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


@pytest.fixture
def bundle(reports: Path, tmp_path: Path) -> Path:
    make(reports, tmp_path / "b.zip")
    return tmp_path / "b.zip"


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def test_a_bundle_holds_reports_record_model_settings_and_environment(bundle: Path) -> None:
    found = verify(bundle)
    assert found.signed_by == ""
    assert found.about["verdict"] == "passed-with-warnings"
    assert found.about["run_started"] == "2026-01-02T03:04:05.678+00:00"
    assert found.members == (
        "cover.html",
        "reports/result.json",
        "reports/journal.jsonl",
        "reports/device.log",
        "model/dtmi_a_B-1.json",
        "model/sources.json",
        "settings.json",
        "environment.json",
    )


def test_the_cover_lists_what_is_left_to_judge_and_escapes_what_a_device_wrote(bundle: Path) -> None:
    cover = zipfile.ZipFile(bundle).read("cover.html").decode()
    assert "Self-attested" in cover
    assert "Warnings: is each acceptable" in cover
    assert "No model is known." in cover
    assert HOSTILE not in cover
    assert "&lt;script&gt;" in cover


def test_the_same_reports_make_the_same_bundle(reports: Path, bundle: Path, tmp_path: Path) -> None:
    make(reports, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_any_changed_byte_is_noticed(bundle: Path) -> None:
    data = bundle.read_bytes()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        bundle.write_bytes(changed)
        with pytest.raises(BundleError):
            verify(bundle)


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_bundle_that_was_cut_off_is_noticed(bundle: Path, cut: int) -> None:
    bundle.write_bytes(bundle.read_bytes()[:cut])
    with pytest.raises(BundleError, match="no seal"):
        verify(bundle)


def test_a_content_changed_and_sealed_anew_is_noticed(bundle: Path) -> None:
    contents = archive.read(bundle)
    contents["reports/device.log"] = b"something else\n"
    bundle.write_bytes(archive.write(contents))
    with pytest.raises(BundleError, match=r"reports/device\.log is not what the manifest says"):
        verify(bundle)


def test_a_file_added_or_taken_away_and_sealed_anew_is_noticed(bundle: Path) -> None:
    contents = archive.read(bundle)
    bundle.write_bytes(archive.write({**contents, "extra.txt": b""}))
    with pytest.raises(BundleError, match=r"extra\.txt is not in the manifest"):
        verify(bundle)
    del contents["settings.json"]
    bundle.write_bytes(archive.write(contents))
    with pytest.raises(BundleError, match=r"settings\.json is missing"):
        verify(bundle)


def test_a_manifest_of_a_later_format_is_told_from_a_damaged_one(bundle: Path) -> None:
    contents = archive.read(bundle)
    contents[manifest.NAME] = contents[manifest.NAME].replace(b'"format": 1', b'"format": 2')
    bundle.write_bytes(archive.write(contents))
    with pytest.raises(BundleError, match="newer pnp-preflight"):
        verify(bundle)


def test_a_signature_says_whose_bundle_it_is(reports: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "maker")
    _, other = key_pair(tmp_path, "other")
    path = tmp_path / "signed.zip"
    make(reports, path, private)
    assert verify(path).signed_by.startswith("SHA256:")
    assert verify(path, public).signed_by == verify(path).signed_by
    with pytest.raises(BundleError, match="somebody else made it"):
        verify(path, other)


def test_a_bundle_without_signature_does_not_pass_for_a_signed_one(bundle: Path, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, "maker")
    with pytest.raises(BundleError, match="not signed"):
        verify(bundle, public)


def test_a_manifest_changed_under_its_signature_is_noticed(reports: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path, "maker")
    path = tmp_path / "signed.zip"
    make(reports, path, private)
    contents = archive.read(path)
    contents[manifest.NAME] = contents[manifest.NAME].replace(b'"local"', b'"azure"')
    path.write_bytes(archive.write(contents))
    with pytest.raises(BundleError, match="signature does not fit"):
        verify(path)


def test_a_folder_without_a_run_makes_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no result\.json and no journal\.jsonl"):
        make(tmp_path, tmp_path / "b.zip")


def test_a_wrong_key_is_named(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key", encoding="utf-8")
    with pytest.raises(BundleError, match="no private key in PEM"):
        make(reports, tmp_path / "b.zip", tmp_path / "key")


def test_the_command_makes_and_verifies(reports: Path, tmp_path: Path) -> None:
    def preflight(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "harness", "bundle", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert preflight("reports", "--output", "b.zip").returncode == 0
    intact = preflight("--verify", "b.zip", "--json")
    assert intact.returncode == 0
    assert json.loads(intact.stdout)["intact"] is True
    data = bytearray((tmp_path / "b.zip").read_bytes())
    data[100] ^= 1
    (tmp_path / "b.zip").write_bytes(data)
    changed = preflight("--verify", "b.zip")
    assert changed.returncode == 1
    assert changed.stdout.startswith("not intact: b.zip was changed after it was made")
    assert preflight("--verify", "nothing.zip").returncode == 2
    assert preflight("nowhere").returncode == 2

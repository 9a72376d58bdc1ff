"""Secrets are planted on every road that leads to a file or a screen, and looked for in every byte that came out."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.record import events as ev
from harness.record.journal import encode
from harness.record.redact import MASK
from tests.plugin.conftest import PUMP, Outcome, Preflight
from tests.report.stories import good

OWN_TESTS = """
import os
import pytest

SECRETS = os.environ["LEAKS"]

def test_own(hub, device_id, preflight):
    print(SECRETS)
    identity = hub.device_twin(device_id)
    assert SECRETS == "", identity

def test_raises(preflight):
    raise RuntimeError(SECRETS)

def test_skips(preflight):
    pytest.skip(SECRETS)
"""


def private_key() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True)
class Planted:
    """Secrets of every sort: listed by the user as text, as variable and by an expression, and known by their shape."""

    listed: str = 'correct/horse "battery" & <staple> \\ größe'
    password: str = "first+line/of=it\nsecond line of it"
    pin: str = "4711"
    pem: str = field(default_factory=private_key)
    access_key: str = "c29tZSBrZXkgb2YgYSBodWIgdGhhdCBub2JvZHkga25vd3M="
    signature: str = "fAkEsIgNaTuRe%2BofAToken%3D"

    @property
    def texts(self) -> dict[str, str]:
        """As a device gives them away, by name."""
        return {
            "listed": self.listed,
            "password": self.password,
            "pin": f"pin={self.pin}",
            "pem": self.pem,
            "string": f"HostName=h;SharedAccessKeyName=p;SharedAccessKey={self.access_key}",
            "sas": f"SharedAccessSignature sr=h&sig={self.signature}&se=1",
        }

    @property
    def needles(self) -> list[str]:
        """What must be found nowhere."""
        lines = [*self.password.splitlines(), *self.pem.splitlines()[1:-1]]
        return [self.listed, *lines, f"pin={self.pin}", self.access_key, self.signature]

    @property
    def environment(self) -> dict[str, str]:
        return {"LEAKS": json.dumps(self.texts), "WIFI_PASSWORD": self.password}

    def settings(self, dut: str) -> str:
        redact = json.dumps([self.listed, r"/pin=(\d+)/", "env:WIFI_PASSWORD"], ensure_ascii=False)
        listed = json.dumps(f"pump {self.listed}", ensure_ascii=False)
        return (
            f'dut = {json.dumps(dut)}\nmodel-id = "{PUMP}"\nredact = {redact}\n'
            f"[device]\nname = {listed}\nc2d = true\nc2d-message = {listed}\n"
        )


def spelled(needle: str) -> Iterator[bytes]:
    """As it may stand in a file; found here by other means than those that mask it."""
    yield needle.encode()
    yield json.dumps(needle)[1:-1].encode()
    yield json.dumps(needle, ensure_ascii=False)[1:-1].encode()
    yield json.dumps(json.dumps(needle)[1:-1])[1:-1].encode()
    yield urllib.parse.quote(needle).encode()
    yield needle.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()
    for before in (b"", b"a", b"ab"):
        encoded = base64.b64encode(before + needle.encode())
        if len(encoded) > 32:
            yield encoded[4:-8]


def found_in(data: bytes, needles: list[str]) -> list[str]:
    return [needle for needle in needles if any(look in data for look in spelled(needle))]


def everything(run: Outcome, *more: Path) -> dict[str, bytes]:
    """All that left the run, by name: screen, reports, what a bundle holds."""
    found = {"the screen": run.terminal.encode()}
    for path in (*run.reports.rglob("*"), *more):
        found[path.name] = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as bundle:
                found |= {f"{path.name}/{name}": bundle.read(name) for name in bundle.namelist()}
    return found


def assert_clean(found: dict[str, bytes], needles: list[str]) -> None:
    leaks = {name: hits for name, data in found.items() if (hits := found_in(data, needles))}
    assert leaks == {}


def run_with(preflight: Preflight, secrets: Planted, *arguments: str, **more: str) -> Outcome:
    done = subprocess.run(
        preflight.command(*arguments),
        cwd=preflight.folder,
        env={**preflight.environment, **secrets.environment, **more},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr, preflight.folder / "reports")


def test_nothing_that_a_device_or_a_test_gives_away_gets_anywhere(preflight_in: Preflight) -> None:
    secrets, folder = Planted(), preflight_in.folder
    device = f'"{sys.executable}" -m tests.plugin.devices.leaky --token SharedAccessKey={secrets.access_key}'
    (folder / "preflight.toml").write_text(secrets.settings(device), encoding="utf-8")
    (folder / "test_own.py").write_text(OWN_TESTS, encoding="utf-8")
    page = folder / "step.md"
    run = run_with(
        preflight_in,
        secrets,
        *("--pyargs", "harness.suite", "test_own.py", "-v", "-rA", "--window", "2", "--ack-timeout", "5"),
        *("--junit-xml", "own.xml", "--bundle", "b.zip", "-o", "junit_logging=all"),
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(page),
    )
    found = everything(run, page, folder / "own.xml", folder / "b.zip")
    assert_clean(found, secrets.needles)
    assert {"result.json", "junit.xml", "report.html", "aics.json", "device.log", "b.zip/cover.html"} <= found.keys()
    for name in ("the screen", "journal.jsonl", "device.log", "report.html", "own.xml", "b.zip/settings.json"):
        assert MASK.encode() in found[name], f"nothing was masked in {name}: was anything given away?"

    kinds = {row["kind"] for row in run.journal if MASK in json.dumps(row)}
    roads = {"telemetry_received", "reported_patched", "hub_connected", "method_answered", "command_returned"}
    assert kinds >= roads | {"c2d_sent", "run_started", "expectations_stated"}
    # What is masked can be judged again: no line of the journal was lost, and the verdict is the same.
    assert run.code == 1
    again = run_with(preflight_in, secrets, "--replay", "reports/journal.jsonl", "--reports", "again", TF_BUILD="True")
    assert "recorded verdict: failed (the same as today's)" in again.terminal
    assert "journal:" not in again.terminal
    assert_clean(everything(again, *(folder / "again").iterdir()), secrets.needles)


def test_a_journal_of_somebody_elses_is_shown_without_them_too(preflight_in: Preflight) -> None:
    secrets = Planted()
    tale = good()
    tale.telemetry(71.0, {"flow": secrets.listed, "stray": secrets.texts})
    tale.telemetry(71.1, b"\xff" + secrets.pem.encode() + secrets.texts["string"].encode())
    tale.at(72.0, ev.DeviceExited(3, False, tuple("\n".join(secrets.texts.values()).splitlines())))
    journal = preflight_in.folder / "raw.jsonl"
    journal.write_text("".join(encode(e) + "\n" for e in tale.entries), encoding="utf-8")
    listed = ("--redact", secrets.listed, "--redact", r"/pin=\d+/", "--redact", "env:WIFI_PASSWORD")
    run = run_with(preflight_in, secrets, "--replay", "raw.jsonl", "--reports", "reports", *listed, TF_BUILD="True")
    assert run.code == 1
    found = everything(run)
    assert {"summary.md", "report.html", "result.json"} <= found.keys()
    assert_clean(found, secrets.needles)


def test_a_device_that_prints_its_private_key_and_ends(preflight_in: Preflight) -> None:
    text = "import base64,os,pathlib as p; t=p.Path(os.environ['X509_KEY_FILE']).read_text(); print(t); print(repr(t))"
    text += "; p.Path('kept').write_text(t); print(base64.b64encode(t.encode()).decode()); raise SystemExit(1)"
    device = f'"{sys.executable}" -c "{text}" --wifi 47114712'
    run = preflight_in("--dut", device, "--model-id", PUMP, "--attestation", "x509", "--redact", "47114712")
    assert run.cases["registers_through_dps"] == "failed"
    assert "--wifi ***" in run.terminal
    lines = (preflight_in.folder / "kept").read_text(encoding="ascii").splitlines()[1:-1]
    found = everything(run)
    assert MASK.encode() in found["device.log"]
    assert_clean(found, ["47114712", *(line for line in lines if len(line) > 8)])


def test_what_cannot_be_masked_is_refused_and_not_repeated(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", "x", "--redact", "/(abc/", "--redact", "another secret")
    assert run.code == 4
    assert "--redact = *** (the command line) cannot be used" in run.terminal
    assert "another secret" not in run.terminal
    assert "Traceback" not in run.terminal

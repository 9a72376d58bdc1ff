from __future__ import annotations

import json
import os
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.emulator import certificates
from harness.emulator.certificates import ensure

NAMES = ["localhost", "127.0.0.1", "127.0.0.9", "hub.example.net", "::1"]


def handshake(made: certificates.Certificates, name: str) -> None:
    """Agree on TLS in memory, as strictly as Python can."""
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=made.ca)
    server_side.load_cert_chain(made.server)
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        server_side.wrap_bio(a, b, server_side=True),
        client_side.wrap_bio(b, a, server_hostname=name),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    ends[1].write(b"x")
    assert ends[0].read(1) == b"x"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_covered_and_verifies_strictly(state_dir: Path, name: str) -> None:
    handshake(ensure(state_dir, NAMES), name)


def test_other_names_are_not(state_dir: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ensure(state_dir, NAMES), "127.0.0.10")


def test_made_once_and_anew_for_other_names(tmp_path: Path) -> None:
    first, again = ensure(tmp_path, NAMES), ensure(tmp_path, reversed(NAMES))
    other = ensure(tmp_path, ["localhost"])
    assert first == again
    assert other.ca == first.ca
    assert other.server != first.server


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_private_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    made = ensure(tmp_path / "state", NAMES)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    for key in (made.server, made.ca.with_name("ca.key")):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_folder_that_was_there_keeps_its_permissions(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    made = ensure(shared, NAMES)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    assert {stat.S_IMODE(key.parent.stat().st_mode) for key in (made.server, made.ca)} == {0o700}


def expire(directory: Path) -> None:
    about = json.loads((directory / "about.json").read_text())
    (directory / "about.json").write_text(json.dumps({**about, "expires": 0}))


def test_what_expires_soon_is_made_anew(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES)
    old = first.server.read_bytes()
    expire(first.server.parent)
    second = ensure(tmp_path, NAMES)
    assert second == first
    assert second.server.read_bytes() != old
    expire(first.ca.parent)
    third = ensure(tmp_path, NAMES)
    assert third.server != second.server
    handshake(third, "localhost")


@pytest.mark.parametrize("damage", ["about.json", "ca.pem"])
def test_damage_is_repaired(tmp_path: Path, damage: str) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / damage).write_text("{")
    handshake(ensure(tmp_path, NAMES), "localhost")


def test_many_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ensure(tmp_path, NAMES), range(8)))
    assert len(set(made)) == 1
    handshake(made[0], "localhost")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca", made[0].server.parent.name]

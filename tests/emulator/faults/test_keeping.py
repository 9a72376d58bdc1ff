"""State that outlives an emulator."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.emulator import Emulator, EmulatorError, EmulatorOptions
from harness.emulator.dps.enrollments import Enrolled, GroupSymmetricKey, SymmetricKey
from harness.emulator.hub.registry import Identity
from harness.emulator.keeping import SAVE_SECONDS, Keeper
from harness.emulator.snapshot import Damaged, NotKept, pack, unpack
from tests.addresses import free_address
from tests.mqtt.fakes import FakeTimers

Begin = Callable[[], Emulator]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Starts an emulator that keeps its state in one folder; `with` ends it."""
    address = free_address()

    def make() -> Emulator:
        options = EmulatorOptions(keep_state=True)
        return Emulator(address=address, state_dir=tmp_path / "kept", emit=lambda event: None, options=options)

    return make


def document_of(emulator: Emulator, device_id: str, module_id: str | None = None) -> dict[str, Any]:
    def read(services: Any) -> dict[str, Any]:
        identity = services.hub.registry.get(device_id, module_id)
        return {**identity.document(), "twin": identity.twin_document()}

    return emulator.call(read)


def test_devices_modules_twins_and_enrollments(begin: Begin) -> None:
    group = GroupSymmetricKey()

    def fill(services: Any) -> None:
        services.enrollments.authorities["ca"] = b"\x30\x82"
        services.dps.registrations.obtain("dev-9", Enrolled(group, group_id="line-1"), "2024-05-01T10:00:00Z")
        services.enrollments.add(Enrolled(group, group_id="line-1", initial_twin={"tags": {"site": 1}}))
        hub = services.hub
        device = hub.put_device("dev-1", {"status": "disabled", "statusReason": "lost"}, None)
        hub.put_device("dev-1", {"authentication": {"type": "selfSigned"}}, None, module_id="mod-1")
        hub.update_twin(device, {"tags": {"a": [1, 2]}, "properties": {"desired": {"x": {"y": 1.5}, "n": "1"}}})
        device.twin.report({"fw": "1.0"}, services.context.timestamp())
        device.twin.model_id = "dtmi:com:example:X;1"

    with begin() as emulator:
        emulator.call(fill)
        before = [document_of(emulator, "dev-1"), document_of(emulator, "dev-1", "mod-1")]
        enrollment = emulator.enroll("dev-2", device_id="other")
        endpoints = emulator.endpoints
    with begin() as emulator:
        assert [document_of(emulator, "dev-1"), document_of(emulator, "dev-1", "mod-1")] == before
        assert emulator.endpoints.id_scope == endpoints.id_scope
        key = endpoints.hub_connection_string.rpartition("=")[2]
        assert emulator.endpoints.hub_connection_string.endswith(key)
        kept = emulator.call(lambda services: services.enrollments.get("dev-2"))
        assert kept is not None
        assert isinstance(kept.attestation, SymmetricKey)
        assert kept.attestation.primary == enrollment.primary_key
        assert kept.device_id == "other"
        (again,) = emulator.call(lambda services: list(services.enrollments.groups()))
        assert again.attestation == group
        assert emulator.call(lambda services: services.enrollments.authorities) == {"ca": b"\x30\x82"}
        registration = emulator.call(lambda services: services.dps.registrations.find("dev-9"))
        assert registration is not None
        assert registration.group_id == "line-1"
        assert again.initial_twin == {"tags": {"site": 1}}
        emulator.reset()
    with begin() as emulator:
        assert emulator.call(lambda services: list(services.hub.registry.devices())) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_may_read_it(begin: Begin, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with begin():
            pass
    finally:
        os.umask(old)
    file = tmp_path / "kept" / "state.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".state")] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 99, "id_scope": "0ne1"}',
        '{"version": 1, "id_scope": "0ne1"}',
        '{"version": 1, "id_scope": "0ne1", "policies": {}, "hubs": [{"policies": {}, "identities": [7]}]}',
        '{"version": 1, "id_scope": "0ne1", "policies": 3, "hubs": [], "enrollments": []}',
    ],
)
def test_a_damaged_file_is_named(begin: Begin, tmp_path: Path, text: str) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "state.json").write_text(text)
    with pytest.raises(EmulatorError, match=r"state\.json cannot be used: .*Delete that file"):
        begin().start()
    assert (tmp_path / "kept" / "state.json").read_text() == text


def test_a_crash_costs_seconds_only(begin: Begin, tmp_path: Path) -> None:
    timers = FakeTimers()
    with begin() as emulator:

        def fill(services: Any) -> None:
            keeper = Keeper(tmp_path / "kept", timers, lambda where, error: None)
            keeper.restore(services, None)
            device = services.hub.put_device("dev-1", {}, None)
            services.hub.update_twin(device, {"properties": {"desired": {"x": 1}}})
            timers.advance(SAVE_SECONDS)

        emulator.call(fill)
        kept = json.loads((tmp_path / "kept" / "state.json").read_text())
    assert len(kept["hubs"][0]["identities"]) == 1


def test_a_full_disk_is_reported_and_not_raised(begin: Begin, tmp_path: Path) -> None:
    reported: list[str] = []
    with begin() as emulator:

        def fail(services: Any) -> None:
            keeper = Keeper(tmp_path / "nowhere", FakeTimers(), lambda where, error: reported.append(where))
            keeper.restore(services, None)
            keeper.close()

        emulator.call(fail)
    assert "could not be saved" in reported[0]


def test_values_of_every_kind() -> None:
    identity = Identity("dev-1", thumbprints=("AB", None), capabilities={"$kind": "mine", "more": b"\x00\xff"})
    copy = unpack(json.loads(json.dumps(pack(identity, ("connection", "c2d")))))
    assert pack(copy, ("connection", "c2d")) == pack(identity, ("connection", "c2d"))
    assert copy.thumbprints == ("AB", None)
    assert copy.capabilities == identity.capabilities
    assert unpack(pack({1: frozenset({2}), "s": {3}})) == {1: frozenset({2}), "s": {3}}


def test_fields_that_came_and_went() -> None:
    packed = pack(Identity("dev-1", enabled=False), ("connection", "c2d"))
    del packed["fields"]["capabilities"]
    packed["fields"]["of_an_older_version"] = 1
    copy = unpack(packed)
    assert (copy.enabled, copy.capabilities) == (False, {"iotEdge": False})


def test_nothing_but_the_emulators_own_classes_is_made() -> None:
    with pytest.raises(NotKept):
        pack(object())
    for name in (
        "os:system",
        "harness.emulator.hub.registry:new_etag",
        "harness.emulator.hub.nothing:X",
        "builtins:eval",
    ):
        with pytest.raises(Damaged):
            unpack({"$kind": "object", "class": name, "fields": {}})
    with pytest.raises(Damaged):
        unpack({"$kind": "unheard-of"})


def test_the_cas_that_a_hub_trusts(begin: Begin) -> None:
    with begin() as emulator:
        emulator.call(lambda services: services.hub.access.authorities.append(b"\x30\x82"))
    with begin() as emulator:
        assert emulator.call(lambda services: services.hub.access.authorities) == [b"\x30\x82"]

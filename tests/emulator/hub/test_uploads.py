"""Uploads that nobody ends, and hubs that take none."""

from __future__ import annotations

import pytest

from harness.emulator.errors import ServiceError
from harness.emulator.hub.blobs import BlobError
from harness.emulator.options import EmulatorOptions
from harness.record.events import FileUploadEnded
from tests.emulator.fakes import World


def test_ten_uploads_at_once_until_their_links_run_out() -> None:
    world = World()
    uploads = world.hub.uploads
    links = [uploads.start("dev-1", {"blobName": "x"}, "h") for _ in range(10)]
    with pytest.raises(ServiceError) as many:
        uploads.start("dev-1", {"blobName": "x"}, "h")
    assert (many.value.code, many.value.message) == (
        403006,
        "Number of active file upload requests cannot exceed 10",
    )
    assert uploads.start("dev-2", {"blobName": "x"}, "h")["blobName"] == "dev-2/x"
    world.advance(3600)
    assert {event.by for event in world.seen(FileUploadEnded)} == {"hub"}
    with pytest.raises(ServiceError) as late:
        uploads.finish("dev-1", links[0]["correlationId"], {"isSuccess": True})
    assert late.value.code == 400016
    assert uploads.start("dev-1", {"blobName": "x"}, "h")


def test_a_link_is_for_one_blob_and_one_hour() -> None:
    world = World()
    blobs = world.hub.uploads.blobs
    from urllib.parse import parse_qsl

    query = dict(parse_qsl(blobs.token("a", 60)[1:]))
    blobs.check("a", query)
    for name, changed in (("b", query), ("a", query | {"se": "2999-01-01T00:00:00Z"}), ("a", query | {"sp": "racwdl"})):
        with pytest.raises(BlobError):
            blobs.check(name, changed)
    world.advance(61)
    with pytest.raises(BlobError, match="expired"):
        blobs.check("a", query)


def test_a_hub_without_storage_is_400014() -> None:
    world = World(EmulatorOptions(file_upload=False))
    with pytest.raises(ServiceError) as caught:
        world.hub.uploads.start("dev-1", {"blobName": "x"}, "h")
    assert caught.value.code == 400014


def test_old_blobs_make_room() -> None:
    world = World(EmulatorOptions(max_blob=10, max_blobs=15))
    blobs = world.hub.uploads.blobs
    for name in "abc":
        blobs.put(name, bytes(7), "")
    assert [name for name in "abc" if blobs.find(name)] == ["b", "c"]
    with pytest.raises(BlobError):
        blobs.put("d", bytes(11), "")
    blobs.put_block("e", "MDE=", bytes(6))
    with pytest.raises(BlobError):
        blobs.put_block("e", "MDI=", bytes(6))

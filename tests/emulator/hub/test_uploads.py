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


def test_blocks_that_are_never_committed_do_not_pile_up() -> None:
    world = World(EmulatorOptions(max_blob=10, max_blobs=15))
    world.add_device()
    uploads, blobs = world.hub.uploads, world.hub.uploads.blobs
    name = uploads.start("dev-1", {"blobName": "a"}, "h")["blobName"]
    blobs.put_block(name, "MDE=", bytes(9))
    blobs.put_block(name, "MDE=", bytes(10))  # in place of the one before
    with pytest.raises(BlobError, match="all blobs"):
        blobs.put_block("b", "MDE=", bytes(6))
    world.hub.delete_device("dev-1", None)
    blobs.put_block("b", "MDE=", bytes(10))
    assert blobs.put_block_list("b", b"<BlockList><Latest>MDE=</Latest></BlockList>", "") == 10
    blobs.put_block("c", "MDE=", bytes(10))
    uploads.clear()
    blobs.put_block("d", "MDE=", bytes(10))


@pytest.mark.parametrize(
    "document",
    [
        b"<BlockList>" + b"<Latest>MDE=</Latest>" * 1000 + b"</BlockList>",
        b"<BlockList>" + b" " * 600_000 + b"</BlockList>",
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE l [<!ENTITY e "x">]><l>&e;</l>'.encode("utf-16"),
        b'<!DOCTYPE l [<!ENTITY e "x">]><l>&e;</l>',
        b"<BlockList>",
    ],
)
def test_block_lists_that_ask_for_too_much(document: bytes) -> None:
    world = World(EmulatorOptions(max_blob=100))
    blobs = world.hub.uploads.blobs
    blobs.put_block("a", "MDE=", bytes(60))
    with pytest.raises(BlobError) as caught:
        blobs.put_block_list("a", document, "")
    assert caught.value.status in (400, 413)
    assert blobs.find("a") is None

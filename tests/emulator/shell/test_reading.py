"""Both ways of TLS give all the plain text as it comes, in whatever pieces, and know when nothing is left."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.emulator import certificates
from harness.emulator.shell.tls import ServerTls, Tls
from tests.emulator.shell.test_client_certificates import VERSIONS, Pair


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    return certificates.ensure(tmp_path_factory.mktemp("tls"), ["localhost"])


@pytest.fixture(scope="module", params=[True, False], ids=["asking", "plain"])
def sessions(request: pytest.FixtureRequest, made: certificates.Certificates) -> Callable[[], Tls]:
    return ServerTls(Path(made.server), lambda: request.param).session


def drain(server: Tls) -> bytes:
    """Read as a connection does."""
    found = b""
    while data := server.read():
        found += data
        if server.drained:
            break
    return found


@pytest.mark.parametrize("version", VERSIONS)
@given(
    writes=st.lists(st.integers(1, 200) | st.sampled_from([16_384, 20_000]), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 30_000) | st.integers(0, 300), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_all_of_it_in_any_pieces(
    made: certificates.Certificates,
    sessions: Callable[[], Tls],
    version: ssl.TLSVersion,
    writes: list[int],
    cuts: list[int],
) -> None:
    context = ssl.create_default_context(cafile=made.ca)
    context.minimum_version = context.maximum_version = version
    pair = Pair(sessions(), context)
    pair.shake()
    sent = b"".join(bytes([n % 251]) * size for n, size in enumerate(writes))
    records = [pair.record(bytes([n % 251]) * size) for n, size in enumerate(writes)]
    stream = b"".join(records)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    received = b""
    for a, b in pairwise(edges):
        pair.server.feed(stream[a:b])
        received += drain(pair.server)
    assert received == sent
    for record, size in zip([pair.record(b"x" * size) for size in writes], writes, strict=True):
        pair.server.feed(memoryview(record))
        assert drain(pair.server) == b"x" * size
    assert pair.server.read() == b""

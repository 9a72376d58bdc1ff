"""Each fault of a network, from a server on loopback that has it: told apart, and with a cure."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.doctor import reaching
from harness.doctor.network import Host, look, proxies
from harness.doctor.result import Outcome, Probe, Result, examine
from tests.doctor.servers import ADDRESS, certificate, serving

DEADLINE = 60.0


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doctor")


def seen(found: list[Result], check: str) -> Result:
    (result,) = [one for one in found if one.check == check]
    return result


def looked_at(pem: Path | None, ca_path: Path | None, *, ahead: float = 0.0, dated: bool = True) -> list[Result]:
    async def work() -> list[Result]:
        async with serving(pem, ahead=ahead, dated=dated) as port:
            return await look(Host(ADDRESS, (port,), ca_path, clock_port=port))

    return asyncio.run(asyncio.wait_for(work(), DEADLINE))


def test_a_good_server(state: Path) -> None:
    ca_path, pem = certificate(state)
    found = looked_at(pem, ca_path)
    assert [(one.check, one.outcome) for one in found] == [
        (check, Outcome.OK) for check in ("name", "port", "TLS", "clock")
    ]
    assert "signed by pnp-preflight" in seen(found, "TLS").detail
    assert "until 20" in seen(found, "TLS").detail


@pytest.mark.parametrize(
    ("kind", "said", "cure"),
    [
        ("expired", "its certificate expired on 20", "clock is right"),
        ("wrong-name", "is not for this name, but for wrong-name.invalid", "Use the name"),
        ("unknown-ca", "from a CA that is not trusted, signed by a CA that nobody knows", "is not the CA of this"),
    ],
)
def test_a_certificate_that_cannot_be_trusted(state: Path, kind: str, said: str, cure: str) -> None:
    ca_path, pem = certificate(state, kind)
    found = seen(looked_at(pem, ca_path), "TLS")
    assert found.outcome is Outcome.FAILED
    assert said in found.detail
    assert cure in found.cure


def test_a_missing_root(state: Path) -> None:
    _, pem = certificate(state)
    found = seen(looked_at(pem, None), "TLS")
    assert found.outcome is Outcome.FAILED
    assert "is not trusted, signed by pnp-preflight" in found.detail
    assert "DigiCert Global Root G2" in found.cure
    assert "--azure-ca" in found.cure


def test_no_tls_at_all(state: Path) -> None:
    ca_path, _ = certificate(state)
    found = seen(looked_at(None, ca_path), "TLS")
    assert found.outcome is Outcome.FAILED
    assert "handshake failed" in found.detail


@pytest.mark.parametrize("text", [None, "none"])
def test_a_ca_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    found = seen(asyncio.run(look(Host(ADDRESS, (1,), path))), "CA file")
    assert found.outcome is Outcome.FAILED


def test_a_closed_port(state: Path) -> None:
    ca_path, pem = certificate(state)

    async def work() -> list[Result]:
        async with serving(pem) as port:
            closed = port
        return await look(Host(ADDRESS, (closed,), ca_path))

    found = seen(asyncio.run(work()), "port")
    assert found.outcome is Outcome.FAILED
    assert "refused" in found.detail.lower()
    assert found.cure


@pytest.mark.parametrize(("port", "cure"), [(8883, "WebSockets on 443"), (5671, "Devices do not need it")])
def test_the_cure_for_a_closed_port_knows_what_it_is_for(port: int, cure: str) -> None:
    found = asyncio.run(look(Host("127.0.0.254", (port,))))
    assert cure in seen(found, "port").cure


def test_a_closed_port_that_one_can_do_without_is_a_warning() -> None:
    found = asyncio.run(look(Host("127.0.0.254", (8883, 443), optional=(443,))))
    assert [one.outcome for one in found if one.check == "port"] == [Outcome.FAILED, Outcome.WARNING]


def test_an_unknown_name() -> None:
    found = asyncio.run(look(Host("nowhere.invalid", (443, 8883))))
    assert [(one.check, one.outcome) for one in found] == [
        ("name", Outcome.FAILED),
        ("port", Outcome.SKIPPED),
        ("port", Outcome.SKIPPED),
    ]


@pytest.mark.parametrize(
    ("ahead", "outcome", "said"),
    [
        (3600.0, Outcome.FAILED, "s behind "),
        (-3600.0, Outcome.FAILED, "s ahead of "),
        (120.0, Outcome.WARNING, "s behind "),
    ],
)
def test_a_wrong_clock(state: Path, ahead: float, outcome: Outcome, said: str) -> None:
    ca_path, pem = certificate(state)
    found = seen(looked_at(pem, ca_path, ahead=ahead), "clock")
    assert found.outcome is outcome
    assert said in found.detail
    assert "NTP" in found.cure


def test_the_clock_is_looked_at_though_the_certificate_is_refused(state: Path) -> None:
    ca_path, pem = certificate(state, "expired")
    assert seen(looked_at(pem, ca_path, ahead=-3600.0), "clock").outcome is Outcome.FAILED


def test_a_service_that_tells_no_time(state: Path) -> None:
    ca_path, pem = certificate(state)
    assert seen(looked_at(pem, ca_path, dated=False), "clock").outcome is Outcome.SKIPPED


def test_a_service_that_says_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "SECONDS", 3.0)
    ca_path, _ = certificate(state)

    async def work() -> list[Result]:
        async with serving(None, talks=False) as port:
            return await look(Host(ADDRESS, (port,), ca_path, clock_port=port))

    found = asyncio.run(asyncio.wait_for(work(), DEADLINE))
    assert "handshake failed" in seen(found, "TLS").detail
    assert seen(found, "clock").outcome is Outcome.SKIPPED


def test_a_probe_that_never_ends_or_breaks_is_a_result() -> None:
    async def endless() -> list[Result]:
        await asyncio.Event().wait()
        return []

    async def broken() -> list[Result]:
        raise LookupError("what nobody thought of")

    async def work() -> list[Result]:
        return await examine([Probe("a", "x", endless(), 0.05), Probe("b", "y", broken(), DEADLINE)])

    found = asyncio.run(work())
    assert [one.outcome for one in found] == [Outcome.FAILED, Outcome.FAILED]
    assert "no end within 0.05 s" in found[0].detail
    assert "what nobody thought of" in found[1].detail


def test_a_proxy_is_told() -> None:
    assert proxies({}) == []
    assert "HTTPS_PROXY" in proxies({"HTTPS_PROXY": "http://user:secret@proxy"})[0].detail
    assert "secret" not in proxies({"HTTPS_PROXY": "http://user:secret@proxy"})[0].detail

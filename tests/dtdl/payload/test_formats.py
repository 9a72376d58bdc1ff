"""The text forms at their limits."""

from __future__ import annotations

import pytest

from harness.dtdl.payload.formats import FORMATS

GOOD = {
    "date": ("0001-01-01", "2024-02-29", "2000-02-29", "9999-12-31"),
    "date-time": ("2020-02-29T23:59:59Z", "2020-01-01T00:00:00.123456789012+23:59", "2020-01-01T00:00:00-00:00"),
    "time": ("00:00:00Z", "23:59:59.0-12:30"),
    "duration": ("P1Y", "P1M", "PT1M", "P1W", "P1W2DT3H", "P1Y2M3DT4H5M6.789S", "P0.5Y", "PT0S", "P007D"),
    "base64": ("", "AAAA", "AAA=", "AA==", "+/9z"),
    "decimal": ("0", "-0", "+1.", "1.50", "12345678901234567890"),
    "uuid": ("00a185be-a3a4-465a-9dac-CFA24BC7B923",),
}
BAD = {
    "date": ("0000-01-01", "1900-02-29", "2020-13-01", "2020-00-10", "2020-1-01", "2020-01-01 ", "２０２０-01-01", ""),
    "date-time": ("2020-02-30T00:00:00Z", "2020-01-01t00:00:00Z", "2020-01-01T00:00:00z", "2020-01-01T00:00:00.Z"),
    "time": ("24:00:00Z", "00:60:00Z", "00:00:60Z", "00:00:00+24:00", "00:00:00", "00:00:00Z\n", "00:00:00+0100"),
    "duration": ("", "P", "PT", "P1", "1D", "P1YT", "P1M1Y", "P1W1M", "PT.5S", "P1.5YT1S", "-P1D", "P1D1W", "P1,5D"),
    "base64": ("A", "AA=", "A===", "====", "AA==AA==", "AA\n==", "AA-_"),
    "decimal": ("", ".5", "00", "1e3", "1.2.3", "NaN", "٣"),
    "uuid": ("00a185be-a3a4-465a-9dac-cfa24bc7b92g", "{00a185be-a3a4-465a-9dac-cfa24bc7b923}", ""),
}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_forms(name: str) -> None:
    test = FORMATS[name]
    assert [text for text in GOOD[name] if not test(text)] == []
    assert [text for text in BAD[name] if test(text)] == []


def test_long_texts_take_linear_time() -> None:
    for name, test in FORMATS.items():
        assert not test("1" * 100_000 + "!"), name
        assert not test("P" + "1" * 100_000), name
        assert not test("P1D" + "." * 100_000 + "1" * 100_000 + "!"), name
        assert not test("P" + ".1" * 50_000), name

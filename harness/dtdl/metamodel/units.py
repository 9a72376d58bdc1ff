"""What a unit is made of, told from its name, and how it is written after a number."""

from __future__ import annotations

from collections.abc import Mapping

DECIMAL_PREFIXES = {
    # prefix: (symbol, power of ten)
    "yocto": ("y", -24), "zepto": ("z", -21), "atto": ("a", -18), "femto": ("f", -15), "pico": ("p", -12),
    "nano": ("n", -9), "micro": ("µ", -6), "milli": ("m", -3), "centi": ("c", -2), "deci": ("d", -1), "deka": ("da", 1),
    "deca": ("da", 1), "hecto": ("h", 2), "kilo": ("k", 3), "mega": ("M", 6), "giga": ("G", 9), "tera": ("T", 12),
    "peta": ("P", 15), "exa": ("E", 18), "zetta": ("Z", 21), "yotta": ("Y", 24),
}  # fmt: skip
BINARY_PREFIXES = {
    # prefix: (symbol, power of two)
    "kibi": ("Ki", 10), "mebi": ("Mi", 20), "gibi": ("Gi", 30), "tebi": ("Ti", 40), "pebi": ("Pi", 50),
    "exbi": ("Ei", 60), "zebi": ("Zi", 70), "yobi": ("Yi", 80),
}  # fmt: skip

_SYMBOLS = {
    "acre": "acre", "ampere": "A", "ampereHour": "Ah", "astronomicalUnit": "au", "bar": "bar", "becquerel": "Bq",
    "bel": "B", "bit": "bit", "britishThermalUnit": "BTU", "byte": "B", "candela": "cd", "coulomb": "C",
    "cubicCentimetre": "cm³", "cubicFoot": "ft³", "cubicInch": "in³", "cubicMetre": "m³", "day": "d",
    "degreeCelsius": "°C", "degreeFahrenheit": "°F", "degreeOfArc": "°", "degree": "°", "electronvolt": "eV",
    "farad": "F", "fluidOunce": "fl oz", "foot": "ft", "footcandle": "fc", "gallon": "gal", "gauss": "G",
    "gForce": "g", "gram": "g", "gray": "Gy", "hectare": "ha", "henry": "H", "hertz": "Hz", "horsepower": "hp",
    "hour": "h", "inch": "in", "inchesOfMercury": "inHg", "inchesOfWater": "inH₂O", "joule": "J", "kelvin": "K",
    "knot": "kn", "litre": "L", "lumen": "lm", "lux": "lx", "massPound": "lb", "maxwell": "Mx", "metre": "m",
    "mile": "mi", "millimetresOfMercury": "mmHg", "minute": "min", "minuteOfArc": "′", "nauticalMile": "nmi",
    "newton": "N", "newtonMetre": "N·m", "ohm": "Ω", "ounce": "oz", "partsPerBillion": "ppb",
    "partsPerMillion": "ppm", "partsPerQuadrillion": "ppq", "partsPerTrillion": "ppt", "pascal": "Pa", "percent": "%",
    "pound": "lbf", "poundPerSquareInch": "psi", "radian": "rad", "revolution": "rev", "second": "s",
    "secondOfArc": "″", "secondSquared": "s²", "sievert": "Sv", "slug": "slug", "squareCentimetre": "cm²",
    "squareFoot": "ft²", "squareInch": "in²", "squareKilometre": "km²", "squareMetre": "m²",
    "squareMillimetre": "mm²", "tesla": "T", "ton": "ton", "tonne": "t", "tonOfRefrigeration": "TR", "turn": "tr",
    "unity": "1", "volt": "V", "voltAmpere": "VA", "voltAmpereHour": "VAh", "voltAmpereReactive": "var",
    "voltAmpereReactiveHour": "varh", "watt": "W", "wattHour": "Wh", "weber": "Wb", "year": "a",
}  # fmt: skip


POWERS = {"secondSquared": "second"}
"""Units that measure nothing themselves but stand below the line of others, by the unit that they are a power of."""


def prefix_and_base(unit: str, units: Mapping[str, str]) -> tuple[str, str] | None:
    """The prefix and the unit it multiplies, where both exist: kilo and metre of kilometre."""
    for prefix in (*DECIMAL_PREFIXES, *BINARY_PREFIXES):
        if unit.startswith(prefix):
            base = unit[len(prefix) :]
            for name in (base, base[:1].lower() + base[1:]):
                if name in units:
                    return prefix, name
    return None


def ratio(unit: str, units: Mapping[str, str]) -> tuple[str, str] | None:
    """The units above and below the line, where both are units themselves: kilometre and second of
    kilometrePerSecond."""
    top, per, bottom = unit.partition("Per")
    bottom = bottom[:1].lower() + bottom[1:]
    return (top, bottom) if per and top in units and (bottom in units or bottom in POWERS) else None


def symbol(unit: str) -> str:
    """How the unit is written after a number; its name where there is no sign for it."""
    if unit in _SYMBOLS:
        return _SYMBOLS[unit]
    top, per, bottom = unit.partition("Per")
    if per:
        return f"{symbol(top)}/{symbol(bottom[:1].lower() + bottom[1:])}"
    for prefix, (sign, _) in (DECIMAL_PREFIXES | BINARY_PREFIXES).items():
        base = unit[len(prefix) :]
        base = base[:1].lower() + base[1:]
        if unit.startswith(prefix) and base in _SYMBOLS:
            return sign + _SYMBOLS[base]
    return unit

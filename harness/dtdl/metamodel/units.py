"""What a unit is made of, told from its name, and how it is written after a number."""

from __future__ import annotations

from collections.abc import Mapping

DECIMAL_PREFIXES = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ", "milli": "m",
    "centi": "c", "deci": "d", "deka": "da", "deca": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y",
}  # fmt: skip
BINARY_PREFIXES = {
    "kibi": "Ki", "mebi": "Mi", "gibi": "Gi", "tebi": "Ti", "pebi": "Pi", "exbi": "Ei", "zebi": "Zi", "yobi": "Yi",
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
    return (top, bottom) if per and top in units and bottom in units else None


def symbol(unit: str) -> str:
    """How the unit is written after a number; its name where there is no sign for it."""
    if unit in _SYMBOLS:
        return _SYMBOLS[unit]
    top, per, bottom = unit.partition("Per")
    if per:
        return f"{symbol(top)}/{symbol(bottom[:1].lower() + bottom[1:])}"
    for prefix, sign in (DECIMAL_PREFIXES | BINARY_PREFIXES).items():
        base = unit[len(prefix) :]
        base = base[:1].lower() + base[1:]
        if unit.startswith(prefix) and base in _SYMBOLS:
            return sign + _SYMBOLS[base]
    return unit

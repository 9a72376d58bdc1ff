"""Semantic types and units: DTDL v2's own, and those of the QuantitativeTypes extension for DTDL v3 and v4.

A unit kind lists first the units that DTDL v2 has, then those that the extension adds. (What a unit is made of is told
in `units`.)
"""

from __future__ import annotations

from functools import cache

_UNITS_BY_KIND = {
    # unit kind: (in DTDL v2, added by the extension)
    "AccelerationUnit": ("centimetrePerSecondSquared gForce metrePerSecondSquared", ""),
    "AngleUnit": ("degreeOfArc minuteOfArc radian secondOfArc turn", ""),
    "AngularAccelerationUnit": ("radianPerSecondSquared", ""),
    "AngularVelocityUnit": ("degreePerSecond radianPerSecond revolutionPerMinute revolutionPerSecond", ""),
    "ApparentEnergyUnit": ("", "gigavoltAmpereHour kilovoltAmpereHour megavoltAmpereHour voltAmpereHour"),
    "ApparentPowerUnit": ("", "gigavoltAmpere kilovoltAmpere megavoltAmpere millivoltAmpere voltAmpere"),
    "AreaUnit": (
        "acre hectare squareCentimetre squareFoot squareInch squareKilometre squareMetre squareMillimetre",
        "",
    ),
    "CapacitanceUnit": ("farad microfarad millifarad nanofarad picofarad", ""),
    "ChargeUnit": ("coulomb", "ampereHour milliampereHour"),
    "CurrentUnit": ("ampere microampere milliampere", "kiloampere"),
    "DataRateUnit": (
        "bitPerSecond bytePerSecond exbibitPerSecond exbibytePerSecond gibibitPerSecond gibibytePerSecond "
        "kibibitPerSecond kibibytePerSecond mebibitPerSecond mebibytePerSecond tebibitPerSecond "
        "tebibytePerSecond yobibitPerSecond yobibytePerSecond zebibitPerSecond zebibytePerSecond",
        "",
    ),
    "DataSizeUnit": (
        "bit byte exbibit exbibyte gibibit gibibyte kibibit kibibyte mebibit mebibyte tebibit tebibyte "
        "yobibit yobibyte zebibit zebibyte",
        "",
    ),
    "DensityUnit": (
        "gramPerCubicMetre kilogramPerCubicMetre",
        "microgramPerCubicMetre milligramPerCubicMetre",
    ),
    "EnergyUnit": (
        "electronvolt gigajoule joule kilojoule kilowattHour megaelectronvolt megajoule",
        "britishThermalUnit gigawattHour kiloBritishThermalUnit megawattHour milliwattHour terawattHour wattHour",
    ),
    "ForceUnit": ("newton ounce pound ton", ""),
    "FrequencyUnit": ("gigahertz hertz kilohertz megahertz", "millihertz"),
    "IlluminanceUnit": ("footcandle lux", ""),
    "InductanceUnit": ("henry microhenry millihenry", ""),
    "IonizingRadiationDoseUnit": ("", "gray microgray microsievert milligray millisievert sievert"),
    "IrradianceUnit": ("", "wattPerSquareMetre"),
    "LengthUnit": (
        "astronomicalUnit centimetre foot inch kilometre metre micrometre mile millimetre nanometre nauticalMile",
        "",
    ),
    "LuminanceUnit": ("candelaPerSquareMetre", ""),
    "LuminousFluxUnit": ("lumen", ""),
    "LuminousIntensityUnit": ("candela", ""),
    "MagneticFluxUnit": ("maxwell weber", ""),
    "MagneticInductionUnit": ("tesla", "gauss"),
    "MassFlowRateUnit": ("gramPerHour gramPerSecond kilogramPerHour kilogramPerSecond", "massPoundPerHour"),
    "MassUnit": ("gram kilogram microgram milligram slug tonne", "massPound"),
    "PowerUnit": (
        "gigawatt horsepower kilowatt kilowattHourPerYear megawatt microwatt milliwatt watt",
        "britishThermalUnitPerHour gigajoulePerHour joulePerHour joulePerSecond kiloBritishThermalUnitPerHour "
        "kilojoulePerHour kilojoulePerSecond megajoulePerHour tonOfRefrigeration",
    ),
    "PressureUnit": (
        "bar inchesOfMercury inchesOfWater kilopascal millibar millimetresOfMercury pascal poundPerSquareInch",
        "decapascal hectopascal",
    ),
    "RadioactivityUnit": ("", "becquerel gigabecquerel kilobecquerel megabecquerel"),
    "ReactiveEnergyUnit": (
        "",
        "gigavoltAmpereReactiveHour kilovoltAmpereReactiveHour megavoltAmpereReactiveHour voltAmpereReactiveHour",
    ),
    "ReactivePowerUnit": (
        "",
        "gigavoltAmpereReactive kilovoltAmpereReactive megavoltAmpereReactive millivoltAmpereReactive "
        "voltAmpereReactive",
    ),
    "ResistanceUnit": ("kiloohm megaohm milliohm ohm", ""),
    "SoundPressureUnit": ("bel decibel", ""),
    "TemperatureUnit": ("degreeCelsius degreeFahrenheit kelvin", ""),
    "TimeUnit": ("day hour microsecond millisecond minute nanosecond second year", ""),
    "TorqueUnit": ("newtonMetre", ""),
    "Unitless": ("percent unity", "partsPerBillion partsPerMillion partsPerQuadrillion partsPerTrillion"),
    "VelocityUnit": (
        "centimetrePerSecond kilometrePerHour kilometrePerSecond knot metrePerHour metrePerSecond milePerHour "
        "milePerSecond",
        "",
    ),
    "VoltageUnit": ("kilovolt megavolt microvolt millivolt volt", ""),
    "VolumeFlowRateUnit": (
        "litrePerHour litrePerSecond millilitrePerHour millilitrePerSecond",
        "cubicFootPerMinute cubicMetrePerHour cubicMetrePerMinute cubicMetrePerSecond gallonPerHour "
        "gallonPerMinute litrePerMinute millilitrePerMinute",
    ),
    "VolumeUnit": (
        "cubicCentimetre cubicFoot cubicInch cubicMetre fluidOunce gallon litre millilitre",
        "",
    ),
}

_IN_V2 = {
    # semantic type: unit kind
    "Acceleration": "AccelerationUnit",
    "Angle": "AngleUnit",
    "AngularAcceleration": "AngularAccelerationUnit",
    "AngularVelocity": "AngularVelocityUnit",
    "Area": "AreaUnit",
    "Capacitance": "CapacitanceUnit",
    "Current": "CurrentUnit",
    "DataRate": "DataRateUnit",
    "DataSize": "DataSizeUnit",
    "Density": "DensityUnit",
    "Distance": "LengthUnit",
    "ElectricCharge": "ChargeUnit",
    "Energy": "EnergyUnit",
    "Force": "ForceUnit",
    "Frequency": "FrequencyUnit",
    "Humidity": "DensityUnit",
    "Illuminance": "IlluminanceUnit",
    "Inductance": "InductanceUnit",
    "Latitude": "AngleUnit",
    "Length": "LengthUnit",
    "Longitude": "AngleUnit",
    "Luminance": "LuminanceUnit",
    "Luminosity": "PowerUnit",
    "LuminousFlux": "LuminousFluxUnit",
    "LuminousIntensity": "LuminousIntensityUnit",
    "MagneticFlux": "MagneticFluxUnit",
    "MagneticInduction": "MagneticInductionUnit",
    "Mass": "MassUnit",
    "MassFlowRate": "MassFlowRateUnit",
    "Power": "PowerUnit",
    "Pressure": "PressureUnit",
    "RelativeHumidity": "Unitless",
    "Resistance": "ResistanceUnit",
    "SoundPressure": "SoundPressureUnit",
    "Temperature": "TemperatureUnit",
    "Thrust": "ForceUnit",
    "TimeSpan": "TimeUnit",
    "Torque": "TorqueUnit",
    "Velocity": "VelocityUnit",
    "Voltage": "VoltageUnit",
    "Volume": "VolumeUnit",
    "VolumeFlowRate": "VolumeFlowRateUnit",
}

_ADDED_BY_THE_EXTENSION = {
    "ApparentEnergy": "ApparentEnergyUnit",
    "ApparentPower": "ApparentPowerUnit",
    "Concentration": "Unitless",
    "EnergyRate": "PowerUnit",
    "IonizingRadiationDose": "IonizingRadiationDoseUnit",
    "Irradiance": "IrradianceUnit",
    "Radioactivity": "RadioactivityUnit",
    "ReactiveEnergy": "ReactiveEnergyUnit",
    "ReactivePower": "ReactivePowerUnit",
    "RelativeDensity": "Unitless",
}

_ADDED_BY_ITS_VERSION_3: dict[str, str | None] = {
    # No public document lists the units of these types: any unit is taken.
    "DynamicViscosity": None,
    "Efficiency": None,
    "GasLeakageRate": None,
    "KinematicViscosity": None,
    "ReciprocalLength": None,
    "ReciprocalTime": None,
    "RelativeMeasure": None,
    "Scale": None,
    "Throttle": None,
}

STANDARD = 0
"""In place of a version of the extension: the semantic types and units that are part of DTDL v2."""


@cache
def semantic_types(extension_version: int) -> dict[str, str | None]:
    """Unit kind by semantic type; None where any unit is taken."""
    types: dict[str, str | None] = dict(_IN_V2)
    if extension_version != STANDARD:
        types |= _ADDED_BY_THE_EXTENSION
    if extension_version >= 3:
        types |= _ADDED_BY_ITS_VERSION_3
    return types


@cache
def unit_kinds(extension_version: int) -> dict[str, str]:
    """Unit kind by unit."""
    kinds: dict[str, str] = {}
    for kind, (in_v2, added) in _UNITS_BY_KIND.items():
        units = in_v2.split() if extension_version == STANDARD else [*in_v2.split(), *added.split()]
        kinds |= dict.fromkeys(units, kind)
    return kinds

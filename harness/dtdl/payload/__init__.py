"""Payload validation: raw bytes first (`decode`), then values (`check_value`)."""

from .check import check_instance, check_value
from .decode import MAX_DEPTH, Decoded, decode
from .problem import NotInstantiable, Problem
from .schema import json_schema
from .strict import NegativeZero

__all__ = [
    "MAX_DEPTH",
    "Decoded",
    "NegativeZero",
    "NotInstantiable",
    "Problem",
    "check_instance",
    "check_value",
    "decode",
    "json_schema",
]

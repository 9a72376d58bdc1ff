"""Text in several languages: a string, a map from language code to text, or an array of tagged texts.

The reader gives the texts by language code (specification, "Localizable string", "Language map").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from harness.dtdl.metamodel.members import Member
from harness.dtdl.model import Draft
from harness.dtdl.parser.findings import Findings

LANGUAGE_CODE = re.compile(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)
_DEFAULT_LANGUAGE = "en"

_Report = Callable[..., None]


def utf16_length(text: str) -> int:
    """The length of text as DTDL counts it: in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_localized(findings: Findings, it: Draft, member: Member, value: object) -> object:
    limit = member.max_length
    if type(value) is str:
        value = {_DEFAULT_LANGUAGE: value}
    if type(value) is dict and _is_plain(value, limit):
        return value
    report = partial(findings.add, it=it, property=member.term)
    texts: dict[str, str] = {}
    if isinstance(value, dict):
        texts = _language_map(value, report)
    elif isinstance(value, list):
        texts = _tagged_texts(value, it.dtdl_version, report)
    else:
        report("langStringElementNotStringOrObject")
    for text in texts.values():
        if limit is not None and (length := utf16_length(text)) > limit:
            report("langStringValueTooLong", value=text, length=length, restriction=limit)
    return texts


def _is_plain(value: Mapping[str, object], limit: int | None) -> bool:
    """Whether a language map is certainly right, as nearly all are: then nothing else needs to look at it."""
    for code, text in value.items():
        if type(text) is not str or not LANGUAGE_CODE.fullmatch(code) or (limit is not None and len(text) * 2 > limit):
            return False
    return True


def _language_map(value: Mapping[str, object], report: _Report) -> dict[str, str]:
    if value.keys() == {"@value", "@language"}:
        language, text = value["@language"], value["@value"]
        strings = isinstance(language, str) and isinstance(text, str)
        report("langTagValueInLangMap", value=f'{{ "{language}": "{text}" }}' if strings else None)
        return {}
    texts = {}
    for code, text in value.items():
        if code.startswith("@"):
            report("langMapObjKeyword", value=code)
        elif not LANGUAGE_CODE.fullmatch(code):
            report("langStringInvalidCode", value=code)
        elif not isinstance(text, str):
            report("langStringValueNotString", value=code)
        else:
            texts[code] = text
    return texts


def _tagged_texts(items: list[object], version: int, report: _Report) -> dict[str, str]:
    texts: dict[str, str] = {}
    for item in items:
        if isinstance(item, str):
            code, text = _DEFAULT_LANGUAGE, item
        elif isinstance(item, dict):
            tagged = _tagged_text(item, version, report)
            if tagged is None:
                continue
            code, text = tagged
        else:
            report("langStringElementNotStringOrObject")
            continue
        if code in texts:
            report("langStringElementCodeNotUnique", value=code)
        texts[code] = text
    return texts


_TAGGED_KEYWORDS = {
    # keyword: (error, whether DTDL v2 minds it)
    "@id": ("langStringElementId", True),
    "@context": ("langStringElementKeyword", True),
    "@graph": ("langStringElementGraph", True),
    "@type": ("langStringElementType", False),
}


def _tagged_text(item: Mapping[str, object], version: int, report: _Report) -> tuple[str, str] | None:
    sound = True
    for key in item:
        if key in ("@value", "@language"):
            continue
        if not key.startswith("@"):
            code, in_v2 = "langStringElementInvalidProp", True
        else:
            code, in_v2 = _TAGGED_KEYWORDS.get(key, ("langStringElementKeyword", False))
        if version > 2 or in_v2:
            report(code, value=key)
            sound = False
    language = item.get("@language", _DEFAULT_LANGUAGE)
    text = item.get("@value")
    if "@value" not in item:
        report("langStringElementNoValue")
    elif not isinstance(text, str):
        report("langStringElementValueNotString")
    elif not isinstance(language, str):
        report("langStringElementCodeNotString")
    elif not LANGUAGE_CODE.fullmatch(language):
        report("langStringElementInvalidCode", value=language)
    elif sound:
        return language, text
    return None

"""@context: which DTDL version and which extensions are in force for an element (specification, "Context").

An active context is built once for each combination of specifiers and shared by all parses, with all that is compiled
for it. A nested @context derives a new one: of specifiers that differ only in their version, the innermost and last
counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from harness.dtdl import dtmi
from harness.dtdl.metamodel.core import VERSIONS
from harness.dtdl.metamodel.extensions import LIMIT_SPECIFIERS, extensions
from harness.dtdl.parser.grammar import Grammar, grammar_of

DTDL = "dtmi:dtdl:context"
_DTDL_SPECIFIER = re.compile(r"dtmi:dtdl:context;(\d+)(?:\.\d+)?(#.*)?", re.ASCII)
_IOT_CENTRAL = "dtmi:iotcentral:context;2"
_LIMITS = "dtmi:dtdl:limits:"
_VERSIONS = tuple(map(str, VERSIONS))

Report = Callable[..., None]
"""`Findings.add`, bound to the place where the @context stands."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the caller of the parser allows: the newest DTDL version, limit extensions, and unknown extensions
    (`always`, `never`, or `per-default`: in DTDL v2 only)."""

    max_version: int = VERSIONS[-1]
    limits: tuple[str, ...] = ()
    undefined_extensions: str = "per-default"

    def allow_undefined(self, version: int) -> bool:
        return self.undefined_extensions == "always" or (self.undefined_extensions == "per-default" and version == 2)

    def accept_limits(self, specifier: str) -> bool:
        return specifier in self.limits or dtmi.split(specifier)[0] in self.limits


@dataclass(frozen=True, slots=True)
class _State:
    """An active context while its specifiers are read one by one."""

    version: int = 0
    limits: str = ""
    affiliates: tuple[tuple[str, str], ...] = ()
    incomplete: bool = False


class Context:
    """An active context. `incomplete` says that an extension is in force whose definitions nobody here knows."""

    __slots__ = ("_derived", "_state", "grammar", "incomplete", "version")

    def __init__(self, state: _State) -> None:
        self._state = state
        self._derived: _Known = {}
        self.version = state.version
        self.incomplete = state.incomplete
        self.grammar: Grammar = grammar_of(
            state.version, state.limits, tuple(specifier for _, specifier in state.affiliates), state.incomplete
        )

    def derive(self, value: object, rules: Rules, report: Report) -> Context:
        """The context of an element with this @context, inside an element that has `self`.

        What is wrong goes to `report`; the rest of the @context is used nevertheless.
        """
        specifiers = _as_specifiers(value, report)
        if specifiers is None:
            return self
        known = self._derived.get((rules, specifiers))
        if known is not None:
            return known
        reader = _Reader(self._state, rules, report)
        reader.read(specifiers)
        context = _shared(reader.state)
        if not reader.failed:
            _remember(self._derived, (rules, specifiers), context)
        return context


_Known = dict[tuple[Rules, tuple[str, ...]], Context]
"""Active contexts by what led to them."""

_top_level: _Known = {}
_MOST_KNOWN = 500


def _remember(known: _Known, key: tuple[Rules, tuple[str, ...]], context: Context) -> None:
    """Documents of many users pass through one process: what they write must not fill its memory."""
    if len(known) < _MOST_KNOWN:
        known[key] = context


@lru_cache(maxsize=200)
def _shared(state: _State) -> Context:
    return Context(state)


def top_level(value: object, rules: Rules, report: Report) -> Context | None:
    """The context of a top-level element; None where it names no DTDL version."""
    if isinstance(value, str):
        known = _top_level.get((rules, (value,)))
        if known is not None:
            return known
    specifiers = _as_specifiers(value, report, top=True)
    if specifiers is None:
        return None
    known = _top_level.get((rules, specifiers))
    if known is not None:
        return known
    if not specifiers:
        report("emptyContext")
        return None
    first = specifiers[1:] if specifiers[0] == _IOT_CENTRAL else specifiers
    if not first or not first[0].startswith(f"{DTDL};"):
        report("missingDtdlContext", value=specifiers[0])
        return None
    reader = _Reader(_State(), rules, report)
    reader.read(specifiers)
    if not reader.state.version:
        return None
    context = _shared(reader.state)
    if not reader.failed:
        _remember(_top_level, (rules, specifiers), context)
    return context


def _as_specifiers(value: object, report: Report, *, top: bool = False) -> tuple[str, ...] | None:
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, dict) for item in items):
        only_terms = top and isinstance(value, dict)
        report("missingDtdlContext" if only_terms else "disallowedLocalContext")
        return None
    if not all(isinstance(item, str) for item in items):
        report("invalidContext")
        return None
    return tuple(items)


class _Reader:
    """Reads specifiers in order. One method for each family of specifiers.

    What a wrong specifier would have defined is unknown, so the context counts as incomplete from there on: an author
    is not to be told again at each term. Of the language and its limits, only the first wrong specifier is reported.
    """

    def __init__(self, state: _State, rules: Rules, report: Report) -> None:
        self.state = state
        self.failed = False
        self._rules = rules
        self._report = report

    def read(self, specifiers: tuple[str, ...]) -> None:
        after_affiliate = core_failed = False
        for index, specifier in enumerate(specifiers):
            previous = specifiers[index - 1] if index else ""
            following = specifiers[index + 1] if index + 1 < len(specifiers) else ""
            is_language = specifier == DTDL or specifier.startswith(f"{DTDL};")
            if not is_language and not specifier.startswith(_LIMITS):
                self._affiliate(specifier)
                after_affiliate = after_affiliate or index > 0 or specifier != _IOT_CENTRAL
                continue
            if core_failed:
                continue
            if not is_language:
                self._limits(specifier, previous)
            elif after_affiliate:
                self._fail("dtdlContextFollowsAffiliate", specifier)
            else:
                self._language(specifier, previous, following)
            core_failed = self.failed

    def _fail(self, code: str, specifier: str, **facts: object) -> None:
        self.failed = True
        self.state = replace(self.state, incomplete=True)
        self._report(code, value=specifier, **facts)

    def _language(self, specifier: str, previous: str, following: str) -> None:
        match = _DTDL_SPECIFIER.fullmatch(specifier)
        if match is None:
            code = "missingContextVersion" if specifier == DTDL else "unrecognizedContextVersion"
            self._fail(code, specifier, restriction=", ".join(_VERSIONS))
            return
        version, fragment = match[1], match[2] or ""
        if version not in _VERSIONS or "." in specifier:
            self._fail("unrecognizedContextVersion", specifier, restriction=", ".join(_VERSIONS))
        elif int(version) > self._rules.max_version:
            self._fail("disallowedContextVersion", specifier, restriction=self._rules.max_version)
        elif fragment not in {"", "#limitless", "#limits"} or (fragment and version != "4"):
            self._fail("invalidContextFragment", specifier)
        elif fragment == "#limits" and not previous.endswith("#limitless"):
            self._fail("misplacedLimitContext", specifier)
        elif fragment == "#limitless" and not following.startswith((f"{DTDL};4", _LIMITS)):
            self._fail("missingLimitContext", specifier, restriction=version)
        else:
            limits = f"{DTDL};{version}"
            self.state = replace(self.state, version=int(version), limits=limits)

    def _limits(self, specifier: str, previous: str) -> None:
        if "#" in specifier:
            self._fail("invalidContextSpecifier", specifier)
        elif not previous.endswith("#limitless"):
            self._fail("misplacedLimitContext", specifier)
        elif specifier not in LIMIT_SPECIFIERS or not self._rules.accept_limits(specifier):
            self._fail("disallowedLimitContext", specifier)
        else:
            self.state = replace(self.state, limits=specifier)

    def _affiliate(self, specifier: str) -> None:
        if not self._is_well_formed(specifier):
            return
        base, _ = dtmi.split(specifier)
        if specifier in extensions():
            others = tuple(row for row in self.state.affiliates if row[0] != base)
            self.state = replace(self.state, affiliates=(*others, (base, specifier)))
        elif self._rules.allow_undefined(self.state.version):
            self.state = replace(self.state, incomplete=True)
        else:
            versions = list(_versions_known(base))
            code = "unresolvableContextVersion" if versions else "unresolvableContextSpecifier"
            self._fail(code, specifier, restriction=", ".join(versions))

    def _is_well_formed(self, specifier: str) -> bool:
        if not specifier.startswith("dtmi:"):
            self._fail("nonDtmiContextSpecifier", specifier)
            return False
        match = dtmi.ANY.fullmatch(specifier)
        if match is None or match["fragment"]:
            self._fail("invalidContextSpecifier", specifier)
            return False
        if match["major"] and not (match["minor"] and self.state.version == 2):
            return True
        in_v2 = self.state.version == 2
        self._fail("invalidContextSpecifierForVersion" if in_v2 else "missingContextVersion", specifier)
        return False


def _versions_known(base: str) -> Iterable[str]:
    return (specifier.rpartition(";")[2] for specifier in extensions() if dtmi.split(specifier)[0] == base)

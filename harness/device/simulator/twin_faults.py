"""Ways to go wrong in the twin: what is reported, and how desired changes are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .behavior import ACCEPTED, IN_PROGRESS, MARKER, OWN_VALUE, REJECTED, Patch, envelope
from .dying import die
from .limits import encode
from .telemetry_faults import BehaviorFault
from .wrapping import (
    OMIT,
    Make,
    Wrapper,
    acknowledgement,
    answers,
    edit_components,
    edit_patch,
    first_report,
    initial_value,
    is_envelope,
    mistyped,
    property_value,
    reports,
)

_ONE = ("property",)
_FAILED = 500
Ask = Callable[[object], Patch]
"""The good device's answer to a desired patch."""


def _with(**changes: object) -> Make:
    return acknowledgement(lambda v: {**v, **changes})


def _without(*names: str) -> Make:
    return acknowledgement(lambda v: {n: x for n, x in v.items() if n not in names})


def _accepted(edit: Callable[[dict[str, object]], object]) -> Make:
    """Edits the acknowledgement of what was accepted."""
    return acknowledgement(lambda v: edit(v) if v["ac"] == ACCEPTED else v)


def _number_otherwise(value: object) -> object:
    """Another value of the same schema, as a device that takes its own."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, (int, float)) else value


def _other_value(v: dict[str, object]) -> object:
    return {**v, "value": _number_otherwise(v["value"])} if v["ac"] == ACCEPTED else v


def _part(v: dict[str, object]) -> object:
    value = v["value"]
    return {**v, "value": dict(list(value.items())[:1])} if isinstance(value, Mapping) else v


def _older(v: dict[str, object]) -> object:
    return {**v, "av": v["av"] - 1} if isinstance(v["av"], int) and v["ac"] != OWN_VALUE else v


def _bare(value: object) -> object:
    return value["value"] if is_envelope(value) else value


def _unmarked(section: dict[str, object]) -> object:
    return {name: value for name, value in section.items() if name != MARKER}


def _large(patch: Patch) -> Patch:
    texts = [name for name, value in patch.items() if isinstance(value, Mapping) and MARKER not in value]
    return {**patch, **{name: _grown(patch[name]) for name in texts}}


def _grown(value: object) -> object:
    return {n: "x" * 3000 if isinstance(v, str) else v for n, v in value.items()} if isinstance(value, Mapping) else 0


class _FirstAsText(Wrapper):
    """The target's first report is of another JSON type; the next time that anything is reported it is right."""

    _right: Patch | None = None

    def initial_report(self, desired: Mapping[str, object]) -> Patch:
        ours, patch = self.key, self.inner.initial_report(desired)
        self._right = edit_patch(patch, lambda key, v: v if key == ours else OMIT)
        return edit_patch(patch, lambda key, v: _mistyped(v) if key == ours else v)

    def on_desired(self, desired: object) -> Patch:
        right, self._right = self._right or {}, None
        return _merged(right, self.inner.on_desired(desired))


class _BareLater(Wrapper):
    """With the answer to any other change the target (of the root) is told again, as a bare value."""

    _value: object = None

    def on_desired(self, desired: object) -> Patch:
        patch, (component, name) = self.inner.on_desired(desired), self.key or (None, "")
        if component is None and is_envelope(told := patch.get(name)):
            self._value = told["value"]
        elif self._value is not None and patch:
            return {**patch, name: self._value}
        return patch


def _mistyped(value: object) -> object:
    return {**value, "value": mistyped(value["value"])} if is_envelope(value) else mistyped(value)


def _merged(first: Patch, then: Patch) -> Patch:
    """Both in one patch: of a property that is in both the later report."""
    both = {**first, **then}
    for name in first.keys() & then.keys():
        one, other = first[name], then[name]
        if _is_component(one) and isinstance(one, Mapping) and isinstance(other, Mapping):
            both[name] = {**one, **other}
    return both


# --- dealing with desired patches --------------------------------------------------------------------


def _settings_in(desired: Mapping[str, object]) -> list[str]:
    return [name for name in desired if not name.startswith("$")]


def _is_component(value: object) -> bool:
    return isinstance(value, Mapping) and value.get(MARKER) == "c"


def _first_only(desired: Mapping[str, object], ask: Ask) -> Patch:
    first = _settings_in(desired)[:1]
    return ask({n: v for n, v in desired.items() if n in first or n.startswith("$")})


def _marked_only(desired: Mapping[str, object], ask: Ask) -> Patch:
    return {n: v for n, v in ask(desired).items() if not _is_component(v) or _is_component(desired.get(n))}


def _shared(desired: Mapping[str, object], ask: Ask) -> Patch:
    """One dictionary for all acknowledgements: all end with what was put into it last."""
    shared: dict[str, object] = {}

    def put(value: object) -> object:
        if is_envelope(value):
            shared.update(value)
            return shared
        return value

    return edit_patch(ask(desired), lambda key, value: put(value))


def _only_wrapped(desired: Mapping[str, object], ask: Ask) -> Patch:
    """Knows a desired value only as `{"value": x}`, as one page shows it."""
    wrapped = {n: v for n, v in desired.items() if n.startswith("$") or (isinstance(v, Mapping) and "value" in v)}
    return ask(wrapped) if _settings_in(wrapped) else {}


def _dies_of_root(desired: Mapping[str, object], ask: Ask) -> Patch:
    if any(not isinstance(desired[name], Mapping) for name in _settings_in(desired)):
        die("a desired value of the root, which is no object")
    return ask(desired)


def _version_in_component(desired: Mapping[str, object], ask: Ask) -> Patch:
    def misread(section: dict[str, object]) -> object:
        return {n: {**v, "av": None} if is_envelope(v) else v for n, v in section.items()}

    return edit_components(ask(desired), misread)


def _is_unknown(name: str) -> bool:
    return name.startswith("preflight")


class _ReportsAll(Wrapper):
    """Whatever it does not know makes it begin anew."""

    def on_desired(self, desired: object) -> Patch:
        patch = self.inner.on_desired(desired)
        if isinstance(desired, Mapping) and any(_is_unknown(n) for n in desired):
            return {**self.inner.initial_report({"$version": 0}), **patch}
        return patch


def _stumbles_over_unknown(desired: Mapping[str, object], ask: Ask) -> Patch:
    return {} if any(_is_unknown(n) for n in desired) else ask(desired)


class _DeafAfterNull(Wrapper):
    """Once its desired value was removed, the target is dealt with no more."""

    _deaf = False

    def on_desired(self, desired: object) -> Patch:
        if isinstance(desired, Mapping) and self.key and self._value(desired) is None:
            self._deaf = True
        ours = self.key
        return edit_patch(self.inner.on_desired(desired), lambda key, v: OMIT if self._deaf and key == ours else v)

    def _value(self, desired: Mapping[str, object]) -> object:
        component, name = self.key or (None, "")
        section = desired if component is None else desired.get(component)
        return section.get(name, OMIT) if isinstance(section, Mapping) else OMIT


def _dies_of_null(desired: Mapping[str, object], ask: Ask) -> Patch:
    if any(desired[name] is None and not _is_unknown(name) for name in _settings_in(desired)):
        die("null")
    return ask(desired)


def _null_answered(desired: Mapping[str, object], ask: Ask) -> Patch:
    nulls = [n for n in _settings_in(desired) if desired[n] is None and not _is_unknown(n)]
    version = desired.get("$version")
    wrong = {n: {"value": "null", "ac": ACCEPTED, "av": version} for n in nulls}
    return {**ask(desired), **wrong}


class _AcceptsAnything(Wrapper):
    """Every value of the target is right."""

    def on_desired(self, desired: object) -> Patch:
        ours = self.key
        told = _told(desired, ours)

        def accept(key: object, value: object) -> object:
            if key == ours and is_envelope(value) and value["ac"] == REJECTED:
                return {"value": told, "ac": ACCEPTED, "av": value["av"]}
            return value

        return edit_patch(self.inner.on_desired(desired), accept)


def _told(desired: object, key: tuple[str | None, str] | None) -> object:
    component, name = key or (None, "")
    section = desired.get(component) if isinstance(desired, Mapping) and component is not None else desired
    return section.get(name) if isinstance(section, Mapping) else None


def _dies_of_invalid(v: dict[str, object]) -> object:
    return die("an invalid value") if v["ac"] == REJECTED else v


def _only_rejections(change: Callable[[dict[str, object]], object]) -> Make:
    return acknowledgement(lambda v: change(v) if v["ac"] == REJECTED else v)


TWIN_FAULTS: Mapping[str, BehaviorFault] = {
    # what is reported
    "missing-property": BehaviorFault("never reports the property PATH", _ONE, property_value(lambda v: OMIT)),
    "first-as-text": BehaviorFault(
        "reports PATH in another JSON type (text for a number, a number for text) at first, and rightly later",
        _ONE,
        _FirstAsText,
    ),
    "property-null": BehaviorFault("reports null for PATH", _ONE, property_value(lambda v: None)),
    "property-as-array": BehaviorFault("reports PATH in an array", _ONE, property_value(lambda v: [v])),
    "property-in-envelope": BehaviorFault(
        "reports the read-only property PATH as if it acknowledged something",
        _ONE,
        property_value(lambda v: envelope(v, ACCEPTED, 1, "")),
    ),
    "property-capitals": BehaviorFault(
        "reports names of the root with a capital letter",
        (),
        reports(lambda patch: {n[:1].upper() + n[1:]: v for n, v in patch.items()}),
    ),
    "no-marker": BehaviorFault("reports components unmarked", (), reports(lambda p: edit_components(p, _unmarked))),
    "wrong-marker": BehaviorFault(
        'marks components with "component" in place of "c"',
        (),
        reports(lambda p: edit_components(p, lambda section: {**section, MARKER: "component"})),
    ),
    "property-undeclared": BehaviorFault(
        "reports a property that the model lacks", (), first_report(lambda patch: {**patch, "preflight": 1})
    ),
    "component-undeclared": BehaviorFault(
        "reports a component that the model lacks",
        (),
        first_report(lambda patch: {**patch, "preflight": {MARKER: "c", "setting": 1}}),
    ),
    "property-illegal-name": BehaviorFault(
        "reports a name that no model can declare", (), first_report(lambda patch: {**patch, "2fast": 1})
    ),
    "property-underscore": BehaviorFault(
        "reports a name that begins with _", (), first_report(lambda patch: {**patch, "_preflight": 1})
    ),
    "property-too-large": BehaviorFault("reports texts of 3000 characters in objects", (), first_report(_large)),
    "device-info-undeclared": BehaviorFault(
        "reports DeviceInformation though its model lacks it",
        (),
        first_report(
            lambda patch: {
                **patch,
                "deviceInformation": {
                    MARKER: "c",
                    **dict.fromkeys(("manufacturer", "model", "swVersion", "osName"), "preflight"),
                },
            }
        ),
    ),
    # what writable properties start with
    "bare-ack": BehaviorFault(
        "reports writable properties without value, ac and av",
        (),
        reports(lambda patch: edit_patch(patch, lambda key, v: _bare(v))),
    ),
    "initial-bare": BehaviorFault("starts PATH with a bare value", _ONE, initial_value(lambda v: v["value"])),
    "initial-as-answer": BehaviorFault("starts PATH with ac 200", _ONE, initial_value(lambda v: {**v, "ac": ACCEPTED})),
    "initial-versioned": BehaviorFault("starts PATH with av 1", _ONE, initial_value(lambda v: {**v, "av": 1})),
    "own-value-bare": BehaviorFault("reports PATH, once acknowledged, again as a bare value", _ONE, _BareLater),
    # acknowledgements
    "no-ack": BehaviorFault("does not acknowledge PATH", _ONE, acknowledgement(lambda v: OMIT)),
    "ack-bare": BehaviorFault("acknowledges PATH with a bare value", _ONE, acknowledgement(lambda v: v["value"])),
    "ack-without-ac": BehaviorFault("acknowledges PATH without ac", _ONE, _without("ac")),
    "ack-without-av": BehaviorFault("acknowledges PATH without av", _ONE, _without("av")),
    "ack-old-version": BehaviorFault("acknowledges the version before", _ONE, acknowledgement(_older)),
    "ack-version-zero": BehaviorFault("acknowledges PATH with av 0", _ONE, _with(av=0)),
    "ack-version-text": BehaviorFault(
        "acknowledges PATH with av in quotes", _ONE, _accepted(lambda v: {**v, "av": str(v["av"])})
    ),
    "ack-version-of-component": BehaviorFault(
        "looks for $version inside the component, where it is not", (), answers(_version_in_component)
    ),
    "ack-in-progress": BehaviorFault("acknowledges PATH with ac 202, and that is all", _ONE, _with(ac=IN_PROGRESS)),
    "ack-refused": BehaviorFault("refuses whatever is desired of PATH with ac 400", _ONE, _with(ac=REJECTED)),
    "ack-failed": BehaviorFault("acknowledges PATH with ac 500", _ONE, _with(ac=_FAILED)),
    "ack-unusual": BehaviorFault("acknowledges PATH with ac 204", _ONE, _with(ac=204)),
    "ack-code-text": BehaviorFault(
        "acknowledges PATH with ac in quotes", _ONE, acknowledgement(lambda v: {**v, "ac": str(v["ac"])})
    ),
    "ack-own-value": BehaviorFault("acknowledges PATH with ac 203", _ONE, _with(ac=OWN_VALUE)),
    "ack-description": BehaviorFault("acknowledges PATH with a number in ad", _ONE, _with(ad=4711)),
    "ack-as-text": BehaviorFault(
        "acknowledges PATH with its value in quotes",
        _ONE,
        acknowledgement(lambda v: {**v, "value": encode(v["value"]).decode()}),
    ),
    "ack-other-value": BehaviorFault(
        "accepts PATH with ac 200 and takes another value", _ONE, acknowledgement(_other_value)
    ),
    "ack-partial": BehaviorFault("acknowledges one member of the object PATH", _ONE, acknowledgement(_part)),
    # desired patches
    "ack-shared": BehaviorFault("uses one dictionary for all acknowledgements of a patch", (), answers(_shared)),
    "ack-first-only": BehaviorFault("reads the first member of a desired patch only", (), answers(_first_only)),
    "needs-marker": BehaviorFault("ignores components without marker in desired patches", (), answers(_marked_only)),
    "only-wrapped": BehaviorFault('knows desired values as {"value": x} only', (), answers(_only_wrapped)),
    "die-of-root-value": BehaviorFault("ends at a desired value that is no object", (), answers(_dies_of_root)),
    "reports-all": BehaviorFault("reports everything anew when a desired name is unknown", (), _ReportsAll),
    "stumble-over-unknown": BehaviorFault(
        "ignores a desired patch with an unknown name in it", (), answers(_stumbles_over_unknown)
    ),
    "deaf-after-null": BehaviorFault("ignores PATH once null was desired of it", _ONE, _DeafAfterNull),
    "die-of-null": BehaviorFault("ends when null is desired", (), answers(_dies_of_null)),
    "null-as-text": BehaviorFault('takes null for the text "null"', (), answers(_null_answered)),
    "accept-anything": BehaviorFault("accepts any value of PATH", _ONE, _AcceptsAnything),
    "ignore-invalid": BehaviorFault("does not answer invalid values of PATH", _ONE, _only_rejections(lambda v: OMIT)),
    "die-of-invalid": BehaviorFault("ends at an invalid value of PATH", _ONE, _only_rejections(_dies_of_invalid)),
}

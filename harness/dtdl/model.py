"""The parsed model: what a reader of a valid DTDL model works with.

Elements know nothing of JSON any more: terms are resolved, references are linked, defaults are filled in. They are
built once by the parser and never change; two elements are equal only when they are the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

CapabilityKind = Literal["telemetry", "property", "command"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Draft:
    """An Element under construction: the parser fills it in, links it to others, and seals it."""

    __slots__ = (
        "child_of",
        "defined_in",
        "document",
        "dtdl_version",
        "id",
        "kind",
        "members",
        "name",
        "pointer",
        "supplemental",
        "types",
    )

    id: str
    kind: str
    dtdl_version: int
    name: str | None
    members: Mapping[str, object]
    types: tuple[str, ...]
    supplemental: Mapping[str, object]
    defined_in: str | None
    child_of: str | None
    pointer: str
    document: int

    def seal(self) -> Element:
        """From now on an Element, which nothing changes any more. The object stays the same, so links to it hold."""
        self.members = MappingProxyType(self.members)
        self.supplemental = MappingProxyType(self.supplemental) if self.supplemental else NOTHING
        self.__class__ = Element
        return self  # type: ignore[return-value]


class Element(Draft):
    """One element of a model: an Interface, a content of one, a schema, a field and so on.

    `id` is the DTMI given or assigned (DTDL assigns one from the path where the author gave none). `kind` is the
    material class (`Interface`, `Telemetry`, `CommandRequest`, `Object`, `Double`, …). `dtdl_version` is the language
    version (2, 3, 4) of the text. `members` holds the values by term: an Element, a tuple of Elements, str, int, bool,
    or text by language code. `types` holds the supplemental types beside the material one (DTMIs; an undefined co-type
    as it was written) and `supplemental` their properties by term. `defined_in` is the id of the Interface whose text
    has the element, `child_of` that of the element around it. `pointer` is its JSON pointer in document number
    `document`; elements that the language predefines have the document number -1.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Element cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an Element cannot be changed: {name}")

    def get(self, term: str, default: object = None) -> object:
        """The value of a member, or of a supplemental property, by its term."""
        value = self.members.get(term)
        return self.supplemental.get(term, default) if value is None else value

    @property
    def schema(self) -> Element | None:
        """The schema of a Telemetry, Property, Component, Field, payload or MapKey/MapValue; None where there is
        none."""
        return self.element("schema")

    @property
    def writable(self) -> bool:
        return self.members.get("writable") is True

    @property
    def display_name(self) -> Mapping[str, str]:
        """Text by language code; empty where the author gave none."""
        value = self.members.get("displayName")
        return value if isinstance(value, Mapping) else NOTHING

    def element(self, term: str) -> Element | None:
        """The one Element that a member holds; None where it is absent or holds something else."""
        value = self.members.get(term)
        return value if isinstance(value, Element) else None

    def elements(self, term: str) -> tuple[Element, ...]:
        """The Elements that a plural member holds, in the order of the text."""
        value = self.members.get(term)
        return value if isinstance(value, tuple) else ()

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        return f"<{self.kind}{named} {self.id}>"


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing a device of an Interface can do: a telemetry, a property or a command, of its root or of a component.

    `component` is None for the root (the default component). `schema` is that of a telemetry or property; `request`
    and `response` are a command's payload elements (each has a name and a schema). `interface` is the DTMI of the
    Interface that declares it, which may be a base of the one asked for.
    """

    kind: CapabilityKind
    component: str | None
    name: str
    writable: bool
    element: Element
    schema: Element | None
    request: Element | None
    response: Element | None
    interface: str

    @property
    def path(self) -> str:
        """`temperature`, or `thermostat1.temperature` in a component."""
        return self.name if self.component is None else f"{self.component}.{self.name}"


_CAPABILITY_KINDS: Mapping[str, CapabilityKind] = {
    "Telemetry": "telemetry",
    "Property": "property",
    "Command": "command",
}


class Model:
    """The elements of all documents parsed together, by DTMI. `incomplete` is true when the documents use an extension
    context that nobody here can look up, so that what it defines was taken on trust."""

    __slots__ = ("_contents", "elements", "incomplete", "interfaces")

    def __init__(self, elements: Mapping[str, Element], *, incomplete: bool = False) -> None:
        self.elements = MappingProxyType(dict(elements))
        self.interfaces: Mapping[str, Element] = MappingProxyType(
            {dtmi: element for dtmi, element in elements.items() if element.kind == "Interface"}
        )
        self.incomplete = incomplete
        self._contents: dict[str, Mapping[str, Element]] = {}

    def element(self, dtmi: str) -> Element:
        """Raises KeyError with a sentence when the model has no such element."""
        try:
            return self.elements[dtmi]
        except KeyError:
            raise KeyError(f"the model has no element {dtmi}; its Interfaces are: {self._names()}") from None

    def interface(self, dtmi: str) -> Element:
        """Raises KeyError with a sentence when the id is unknown or belongs to another kind of element."""
        element = self.element(dtmi)
        if element.kind != "Interface":
            raise KeyError(f"{dtmi} is a {element.kind}, not an Interface; the Interfaces are: {self._names()}")
        return element

    def contents(self, dtmi: str) -> Mapping[str, Element]:
        """The contents of an Interface by name: its own in the order of the text, then what it inherits, base by
        base."""
        known = self._contents.get(dtmi)
        if known is None:
            found: dict[str, Element] = {}
            for interface in self.hierarchy(dtmi):
                for content in interface.elements("contents"):
                    found.setdefault(content.name or "", content)
            known = self._contents[dtmi] = MappingProxyType(found)
        return known

    def hierarchy(self, dtmi: str) -> Iterator[Element]:
        """The Interface itself and every Interface it extends, directly or not, each once, nearest first."""
        seen = {dtmi}
        queue = [self.interface(dtmi)]
        for interface in queue:
            yield interface
            for base in interface.elements("extends"):
                if base.id not in seen:
                    seen.add(base.id)
                    queue.append(base)

    def capabilities(self, dtmi: str) -> tuple[Capability, ...]:
        """What a device with this model id can do: the root's own and inherited contents, then each component's in
        turn."""
        contents = self.contents(dtmi).values()
        found = list(_capabilities(None, contents))
        for content in contents:
            if content.kind == "Component" and content.schema is not None:
                found += _capabilities(content.name, self.contents(content.schema.id).values())
        return tuple(found)

    def _names(self) -> str:
        return ", ".join(self.interfaces) or "none"

    def __len__(self) -> int:
        return len(self.elements)

    def __repr__(self) -> str:
        return f"<Model of {len(self.elements)} elements, Interfaces: {self._names()}>"


def _capabilities(component: str | None, contents: Iterable[Element]) -> Iterator[Capability]:
    for element in contents:
        kind = _CAPABILITY_KINDS.get(element.kind)
        if kind is not None:
            yield Capability(
                kind=kind,
                component=component,
                name=element.name or "",
                writable=element.writable,
                element=element,
                schema=element.schema,
                request=element.element("request"),
                response=element.element("response"),
                interface=element.defined_in or "",
            )

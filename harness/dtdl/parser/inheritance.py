"""What Interfaces inherit: the chains of `extends`, and the contents that an Interface has with all it extends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.dtdl.model import Draft
from harness.dtdl.parser.reading import Reading


class Contents:
    """The contents of an Interface by name, with those of the Interfaces it extends, layer by layer.

    Layers are shared, not copied: a thousand Interfaces may extend a base with a thousand contents.
    """

    __slots__ = ("bases", "interface", "own")

    def __init__(self, interface: Draft, own: dict[str, Draft], bases: tuple[Contents, ...] = ()) -> None:
        self.interface = interface
        self.own = own
        self.bases = bases

    def layers(self) -> Iterator[Contents]:
        """Its own layer and those below it, each once."""
        seen = {id(self)}
        queue = [self]
        for layer in queue:
            yield layer
            for base in layer.bases:
                if id(base) not in seen:
                    seen.add(id(base))
                    queue.append(base)

    def get(self, name: str) -> Draft | None:
        return next((layer.own[name] for layer in self.layers() if name in layer.own), None)

    def values(self) -> Iterator[Draft]:
        return (content for layer in self.layers() for content in layer.own.values())

    def __len__(self) -> int:
        return sum(len(layer.own) for layer in self.layers())

    def clashes(self, other: Contents) -> Iterator[str]:
        """The names that mean something else in the other."""
        small, large = sorted((self, other), key=len)
        for content in small.values():
            name = content.name or ""
            if large.get(name) not in (None, content):
                yield name


class Hierarchy:
    """The Interfaces in an order in which every base stands before those that extend it, with their contents.

    Chains that lead back to themselves or are too long are reported; then `contents` must not be asked for.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._contents: dict[str, Contents] = {}
        self._depths: dict[str, int] = {}
        self.interfaces = [reading.elements[dtmi] for dtmi in reading.grammars]

    def check_chains(self) -> None:
        if not any(interface.members.get("extends") for interface in self.interfaces):
            return
        self.interfaces = self._in_order()
        for interface in self.interfaces:
            self._check_depth(interface)
        if not self._reading.findings.errors:
            for interface in self.interfaces:
                self._check_total(interface)

    def _in_order(self) -> list[Draft]:
        """Interfaces whose bases are all in order follow next; what remains lies in a circle, or leads into one."""
        waiting = {it.id: len(set(map(id, _bases(it)))) for it in self.interfaces}
        extended_by: dict[str, list[Draft]] = {}
        for it in self.interfaces:
            for base in {base.id: base for base in _bases(it)}.values():
                extended_by.setdefault(base.id, []).append(it)
        ordered = [it for it in self.interfaces if not waiting[it.id]]
        for base in ordered:
            for it in extended_by.get(base.id, ()):
                waiting[it.id] -= 1
                if not waiting[it.id]:
                    ordered.append(it)
        if len(ordered) < len(self.interfaces):
            self._report_circles({it.id: it for it in self.interfaces if waiting[it.id]}, extended_by)
        return ordered

    def _report_circles(self, left: dict[str, Draft], extended_by: dict[str, list[Draft]]) -> None:
        """Of the Interfaces that are not in order, reports those that something in a circle extends."""
        extenders = {dtmi: {it.id for it in extended_by.get(dtmi, ()) if it.id in left} for dtmi in left}
        outermost = [dtmi for dtmi, ids in extenders.items() if not ids]
        for dtmi in outermost:
            for base in _bases(left.pop(dtmi)):
                if base.id in extenders and dtmi in extenders[base.id]:
                    extenders[base.id].discard(dtmi)
                    if not extenders[base.id]:
                        outermost.append(base.id)
        for it in left.values():
            self._reading.findings.add("recursiveStructureNarrow", it, property="'extends'")

    def _check_depth(self, it: Draft) -> None:
        bases = _bases(it)
        depth = self._depths[it.id] = max((self._depths[base.id] + 1 for base in bases), default=0)
        limit = self._reading.grammars[it.id].limits.extends_depth
        if depth > limit:
            highest = it
            for _ in range(limit + 1):
                highest = max(_bases(highest), key=lambda base: self._depths[base.id])
            self._reading.findings.add(
                "excessiveDepthNarrow", it, secondary=highest.id, property="'extends'", length=depth, restriction=limit
            )

    def _check_total(self, it: Draft) -> None:
        """DTDL v3 and v4 count all that an Interface extends, directly or not."""
        limit = self._reading.grammars[it.id].limits.extends_total
        if limit is None or len(self.interfaces) <= limit:
            return
        seen = {it.id}
        queue = [it]
        total = 0
        for each in queue:
            bases = _bases(each)
            total += len(bases)
            if total > limit:
                facts = {"property": "'extends'", "length": total, "restriction": limit}
                self._reading.findings.add("excessiveCountNarrow", it, **facts)
                return
            fresh = [base for base in bases if base.id not in seen]
            seen.update(base.id for base in fresh)
            queue += fresh

    def check_contents(self) -> None:
        """Names must differ among own and inherited contents; DTDL v2 limits how many there are."""
        for it in self.interfaces:
            own = {content.name or "": content for content in _drafts(it.members.get("contents"))}
            bases = {base.id: self._contents[base.id] for base in _bases(it)}
            self._contents[it.id] = Contents(it, own, tuple(bases.values()))
            if bases:
                self._check_names(it, own, bases)
            limit = self._reading.grammars[it.id].limits.contents
            if limit is not None and (length := len(self._contents[it.id])) > limit:
                facts = {"property": "contents", "length": length, "restriction": limit}
                self._reading.findings.add("objectCountAboveMax", it, **facts)

    def _check_names(self, it: Draft, own: dict[str, Draft], bases: Mapping[str, Contents]) -> None:
        so_far = Contents(it, own)
        for identifier, base in bases.items():
            for name in so_far.clashes(base):
                facts = {"property": "contents", "aux": "name", "value": name}
                self._reading.findings.add("nonUniqueImportedPropertyValue", it, secondary=identifier, **facts)
            so_far = Contents(it, own, (*so_far.bases, base))

    def contents(self, it: Draft) -> Contents:
        return self._contents[it.id]


def _bases(it: Draft) -> list[Draft]:
    return _drafts(it.members.get("extends"))


def _drafts(value: object) -> list[Draft]:
    return value if isinstance(value, list) else []

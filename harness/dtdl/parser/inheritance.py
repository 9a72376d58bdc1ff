"""What Interfaces inherit: the chains of `extends`, and the contents that an Interface has with all it extends."""

from __future__ import annotations

from collections.abc import Mapping

from harness.dtdl.model import Draft
from harness.dtdl.parser.reading import Reading

Contents = Mapping[str, Draft]
"""Contents by name."""


class Hierarchy:
    """The Interfaces in an order in which every base stands before those that extend it, with their contents.

    Chains that lead back to themselves or are too long are reported; then `contents` must not be asked for.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._interfaces = [reading.elements[dtmi] for dtmi in reading.grammars]
        self._contents: dict[str, Contents] = {}
        self._depths: dict[str, int] = {}

    def check_chains(self) -> None:
        if not any(interface.members.get("extends") for interface in self._interfaces):
            return
        self._interfaces = self._in_order()
        for interface in self._interfaces:
            self._check_depth(interface)
        if not self._reading.findings.errors:
            for interface in self._interfaces:
                self._check_total(interface)

    def _in_order(self) -> list[Draft]:
        """Interfaces whose bases are all in order follow next; what remains lies in a circle, or leads into one."""
        waiting = {it.id: len(set(map(id, _bases(it)))) for it in self._interfaces}
        extended_by: dict[str, list[Draft]] = {}
        for it in self._interfaces:
            for base in {base.id: base for base in _bases(it)}.values():
                extended_by.setdefault(base.id, []).append(it)
        ordered = [it for it in self._interfaces if not waiting[it.id]]
        for base in ordered:
            for it in extended_by.get(base.id, ()):
                waiting[it.id] -= 1
                if not waiting[it.id]:
                    ordered.append(it)
        if len(ordered) < len(self._interfaces):
            self._report_circles({it.id: it for it in self._interfaces if waiting[it.id]}, extended_by)
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
        if limit is None or len(self._interfaces) <= limit:
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
        findings = self._reading.findings
        for it in self._interfaces:
            inherited = _bases(it)
            limit = self._reading.grammars[it.id].limits.contents
            own = it.members.get("contents")
            if not inherited and (limit is None or own is None or len(_drafts(own)) <= limit):
                continue
            contents = dict(self._own(it))
            for base in inherited:
                for name, content in self.contents(base).items():
                    if contents.setdefault(name, content) is not content:
                        findings.add(
                            "nonUniqueImportedPropertyValue", it, secondary=base.id, property="contents", aux="name",
                            value=name,
                        )  # fmt: skip
            self._contents[it.id] = contents
            if limit is not None and len(contents) > limit:
                facts = {"length": len(contents), "restriction": limit}
                findings.add("objectCountAboveMax", it, property="contents", **facts)

    def contents(self, it: Draft) -> Contents:
        """The contents of an Interface by name, inherited ones included."""
        known = self._contents.get(it.id)
        if known is None:
            known = self._contents[it.id] = self._own(it)
        return known

    def _own(self, it: Draft) -> Contents:
        return {content.name or "": content for content in _drafts(it.members.get("contents"))}

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._interfaces)


def _bases(it: Draft) -> list[Draft]:
    return _drafts(it.members.get("extends"))


def _drafts(value: object) -> list[Draft]:
    return value if isinstance(value, list) else []

"""The second stage: references become links."""

from __future__ import annotations

from harness.dtdl.metamodel.members import Standard
from harness.dtdl.metamodel.predefined import unit_enum_of
from harness.dtdl.model import Draft
from harness.dtdl.parser.reading import Reading, Reference, put


def missing(reading: Reading) -> list[str]:
    """The targets of references that no document has defined so far, each once, in the order of the references."""
    targets = (reference.target for reference in reading.references)
    return [target for target in dict.fromkeys(targets) if target not in reading.elements]


def link(reading: Reading) -> None:
    """Puts the target of each reference in its place, or reports why it cannot be there."""
    reading.findings.errors += reading.when_linked.errors
    for reference in reading.references:
        target = reading.elements[reference.target]
        if _is_sound(reading, reference, target):
            put(reference.it, reference.member, reference.slot, target)
    for it, member in reading.repeated:
        values = it.members
        assert isinstance(values, dict)
        values[member.term] = [part for part in values[member.term] if part is not None]


def _is_sound(reading: Reading, reference: Reference, target: Draft) -> bool:
    it, member, add = reference.it, reference.member, reading.findings.add
    facts = {"property": member.term, "secondary": target.id, "pointer": reference.pointer}
    if member.standard is Standard.UNIT:
        add("wrongParent", it, restriction=unit_enum_of(member), **facts)
    elif target.kind not in member.kinds:
        kinds = " or ".join(member.kinds)
        add("badType", it, value=target.kind, found=f"a {target.kind}", restriction=kinds, **facts)
    elif target.dtdl_version not in member.versions:
        versions = ", ".join(map(str, member.versions))
        add("disallowedVersionReference", it, value=target.dtdl_version, restriction=versions, **facts)
    elif target.kind != "Interface" and _partition(it) != _partition(target):
        add("crossPartitionReference", it, value=_partition(target), restriction=_partition(it), **facts)
    elif member.named and target.name is None:
        add("missingDictKeyPropertyValue", it, value="name", **facts)
    else:
        return True
    return False


def _partition(it: Draft) -> str | None:
    """The Interface that an element belongs to: itself, or the one around it."""
    return it.id if it.kind == "Interface" else it.defined_in

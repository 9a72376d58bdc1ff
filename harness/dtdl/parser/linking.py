"""The second stage: references become links, and Interfaces get what they inherit."""

from __future__ import annotations

from harness.dtdl.metamodel.members import Standard
from harness.dtdl.model import Draft
from harness.dtdl.parser.elements import Reading, Reference


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
            _place(reference, target)


def _place(reference: Reference, target: Draft) -> None:
    values = reference.it.members
    assert isinstance(values, dict)
    if reference.row.member.plural:
        values[reference.row.term][reference.index] = target
    else:
        values[reference.row.term] = target


def _is_sound(reading: Reading, reference: Reference, target: Draft) -> bool:
    it, member = reference.it, reference.row.member
    facts = {"property": member.term, "secondary": target.id, "pointer": reference.pointer}
    if member.standard is Standard.UNIT:
        reading.findings.add("wrongParent", it, restriction=member.unit_kind, **facts)
    elif target.kind not in member.kinds:
        kinds = " or ".join(member.kinds)
        reading.findings.add("badType", it, value=target.kind, restriction=kinds, **facts)
    elif target.dtdl_version not in member.versions:
        versions = ", ".join(map(str, member.versions))
        reading.findings.add(
            "disallowedVersionReference", it, value=target.dtdl_version, restriction=versions, **facts
        )
    elif target.kind != "Interface" and _partition(it) != _partition(target):
        reading.findings.add(
            "crossPartitionReference", it, value=_partition(target), restriction=_partition(it), **facts
        )
    elif member.named and target.name is None:
        reading.findings.add("missingDictKeyPropertyValue", it, value="name", **facts)
    else:
        return True
    return False


def _partition(it: Draft) -> str | None:
    """The Interface that an element belongs to: itself, or the one around it."""
    return it.id if it.kind == "Interface" else it.defined_in

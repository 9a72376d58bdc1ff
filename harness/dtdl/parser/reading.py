"""What the first stage leaves to the later ones: the elements read so far, and what is to be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from harness.dtdl.metamodel.members import Member
from harness.dtdl.model import Draft, Element
from harness.dtdl.parser.context import Context, Rules
from harness.dtdl.parser.findings import Findings
from harness.dtdl.parser.grammar import Grammar, Shape

Json = Mapping[str, object]


class Task(NamedTuple):
    """An object that is to become an element: a value of a member of another element, or a top-level one.

    `slot` is its position in a plural member. `context` is in force where the object stands, its own @context not yet
    counted. `names` are the names met so far in the same member with the ids of their elements, where names must
    differ. `level` counts the elements around it.
    """

    source: Json
    parent: Draft | None
    member: Member
    slot: int
    pointer: str
    context: Context
    names: dict[str, str] | None
    document: int
    level: int


@dataclass(slots=True)
class Reference:
    """A DTMI in the place of an element. `slot` is its position in a plural member."""

    it: Draft
    member: Member
    target: str
    slot: int
    pointer: str


class Reading:
    """What has been read of a set of documents.

    `findings` are the errors of this stage. `when_linked` and `when_checked` collect what this stage notices but a
    later one reports, since it needs a model that is sound up to there. `predefined` are the elements of the language
    that the model uses, `cotyped` the elements whose co-types demand something, `grammars` the grammar of each
    Interface, `plurals` the members that hold lists, `repeated` those of them in which an element was passed over,
    `long` the Interfaces of the documents numbered in `long_documents`, with their JSON. `tolerant` lets some common
    slips of DTDL v2 models pass.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.tolerant = False
        self.incomplete = False
        self.findings = Findings()
        self.when_linked = Findings()
        self.when_checked = Findings()
        self.tasks: list[Task] = []
        self.elements: dict[str, Draft] = {}
        self.references: list[Reference] = []
        self.predefined: dict[str, Element] = {}
        self.cotyped: list[tuple[Draft, Shape]] = []
        self.grammars: dict[str, Grammar] = {}
        self.long_documents: set[int] = set()
        self.long: list[tuple[Draft, Json]] = []
        self.plurals: list[tuple[Draft, Member]] = []
        self.repeated: list[tuple[Draft, Member]] = []


def put(it: Draft, member: Member, slot: int, value: Draft) -> None:
    """Puts an element in its place in a member of the one around it."""
    values = it.members
    assert isinstance(values, dict)
    if member.plural:
        values[member.term][slot] = value
    else:
        values[member.term] = value

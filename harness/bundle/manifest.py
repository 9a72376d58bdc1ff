"""The manifest: every member with its size and hash, chained in order, so that one hash stands for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.bundle.errors import BundleError

FORMAT = 1
NAME = "manifest.json"
STATEMENT = (
    "Self-attested. Whoever made this bundle ran the pre-flight; no third party was present. The hashes show that "
    "nothing was changed since, a signature shows who made it, and neither shows that the device really behaved so."
)
_GENESIS = hashlib.sha256(b"pnp-preflight bundle 1").hexdigest()


@dataclass(frozen=True, slots=True)
class Member:
    """`sha256` of the content; `chain` of the chain before it, the name and that hash. All in hex."""

    name: str
    size: int
    sha256: str
    chain: str


def chained(contents: Mapping[str, bytes]) -> tuple[Member, ...]:
    """The members in order, each chained to the one before."""
    members: list[Member] = []
    before = _GENESIS
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        before = hashlib.sha256(f"{before}\n{name}\n{digest}".encode()).hexdigest()
        members.append(Member(name, len(content), digest, before))
    return tuple(members)


def render(members: tuple[Member, ...], about: Mapping[str, Any]) -> bytes:
    """The manifest as JSON; `about` says what it is about (run, device, verdict)."""
    document = {
        "format": FORMAT,
        "statement": STATEMENT,
        "about": dict(about),
        "members": [{"name": m.name, "size": m.size, "sha256": m.sha256, "chain": m.chain} for m in members],
        "head": members[-1].chain if members else _GENESIS,
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def check(manifest: bytes, contents: Mapping[str, bytes]) -> dict[str, Any]:
    """What the manifest is about. Raises BundleError where it does not describe exactly these contents, in order."""
    try:
        document = json.loads(manifest)
        listed = tuple(Member(m["name"], m["size"], m["sha256"], m["chain"]) for m in document["members"])
        head, about, version = document["head"], dict(document["about"]), document["format"]
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{NAME} cannot be read: this is no bundle of the pre-flight, or it was damaged.") from None
    if version != FORMAT:
        raise BundleError(f"{NAME} has format {version}; this version knows {FORMAT}. Use a newer pnp-preflight.")
    names = [m.name for m in listed]
    strange = sorted(set(contents) - set(names))
    missing = sorted(set(names) - set(contents))
    if strange or missing:
        parts = [f"{', '.join(strange)} is not in the manifest"] if strange else []
        parts += [f"{', '.join(missing)} is missing"] if missing else []
        raise BundleError(f"The bundle was changed: {'; '.join(parts)}.")
    for member, found in zip(listed, chained({name: contents[name] for name in names}), strict=True):
        if member != found:
            raise BundleError(f"The bundle was changed: {member.name} is not what the manifest says.")
    if listed and head != listed[-1].chain:
        raise BundleError("The bundle was changed: the manifest's head is not the end of its chain.")
    return about

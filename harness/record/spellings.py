"""How a secret looks after the ways from a device to a page: escaped, encoded, within something longer.

Whoever looks for a secret by its value alone finds it in plain text only; journals, pages and topics hold it escaped.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import urllib.parse

SHORTEST = 6
"""Shorter strings are not taken as secrets: masking `1` everywhere would destroy the record."""

_KEY = 16
"""Bytes: the least that a text in base64 must hold to be looked for by what it holds, too."""
_XML = {'"': "&quot;", "'": "&apos;", "\t": "&#09;", "\n": "&#10;", "\r": "&#13;"}


def spellings(secret: str) -> set[str]:
    """Every form of the secret that a report may hold: its own, and in JSON (also within a text of JSON), HTML, XML,
    Python, URLs and base64.
    """
    looks = {secret, secret.replace("/", "\\/"), repr(secret)[1:-1]}
    once = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True)}
    looks |= once | {json.dumps(look, ensure_ascii=False)[1:-1] for look in once}
    for quote in (True, False):
        escaped = html.escape(secret, quote=quote)
        looks |= {escaped, escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    looks.add("".join(_XML.get(c, html.escape(c, quote=False)) for c in secret))
    for safe in ("/", ""):
        quoted = urllib.parse.quote(secret, safe=safe, errors="replace")
        looks |= {quoted, re.sub("%..", lambda found: found[0].lower(), quoted)}
    looks |= in_base64(secret.encode("utf-8", "surrogateescape"))
    held = _held(secret)
    if held:
        looks |= in_base64(held)
    return {look for look in looks if look}


def in_base64(raw: bytes) -> set[str]:
    """How bytes look within the base64 of something longer, at each of the three places they can begin at.

    The journal holds a payload that is not UTF-8 in base64, and a device may send one within its JSON.
    """
    looks = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode("ascii").rstrip("=")
        # The characters at either end also hold bits of what stands beside the secret.
        end = len(encoded) - (1 if (offset + len(raw)) % 3 else 0)
        look = encoded[(0, 2, 3)[offset] : end]
        looks |= {look, look.replace("+", "-").replace("/", "_"), look.replace("/", "\\/")}
    return {look for look in looks if len(look) >= SHORTEST}


def _held(secret: str) -> bytes:
    """What a key in base64 holds; empty where the secret is no such key."""
    try:
        held = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return held if len(held) >= _KEY else b""

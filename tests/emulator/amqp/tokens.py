"""Tokens as clients of Event Hubs make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote


def events_token(resource: str, key: str, policy: str, expiry: int) -> str:
    """Sign with the key's text as it stands, not decoded."""
    raw = quote(resource, safe="")
    signature = base64.b64encode(hmac.digest(key.encode(), f"{raw}\n{expiry}".encode(), hashlib.sha256)).decode()
    return f"SharedAccessSignature sr={raw}&sig={quote(signature, safe='')}&se={expiry}&skn={policy}"

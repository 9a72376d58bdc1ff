"""What a device registered with, as the allocation webhook left it in the tags of the device's twin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from harness.azure.webhook.allocation import MARK, MAX_PAYLOAD, TAG


def definition(webhook: str, mark: str) -> dict[str, str]:
    """The `customAllocationDefinition` of an enrollment. The mark goes by the query to the device's twin."""
    parts = urlsplit(webhook)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != MARK]
    url = urlunsplit(parts._replace(query=urlencode([*query, (MARK, mark)]), fragment=""))
    return {"webhookUrl": url, "apiVersion": "2021-10-01"}


def request_in(twin: Mapping[str, Any], registration_id: str) -> bytes | None:
    """The body of the device's register request; None where the twin's tags tell of none."""
    tags = twin.get("tags")
    tag = tags.get(TAG) if isinstance(tags, Mapping) else None
    if not isinstance(tag, Mapping) or str(tag.get("registrationId", "")).lower() != registration_id.lower():
        return None
    text = tag.get("payload")
    if not isinstance(text, str) or len(text) > MAX_PAYLOAD:
        return None
    # As it was sent: what of it is amiss is for the checks to say.
    return f'{{"registrationId": {json.dumps(registration_id)}, "payload": {text}}}'.encode("utf-8", "replace")

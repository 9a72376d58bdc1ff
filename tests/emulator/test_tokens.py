from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.tokens import TokenError, derive_key, is_key, new_key, parse_token, sign

GROUP_KEY = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="


def test_derived_key_of_the_published_example() -> None:
    derived = derive_key(GROUP_KEY, "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6")
    assert derived == "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="


def test_a_token_is_signed_by_its_key_only() -> None:
    key, other = new_key(), new_key()
    token = parse_token(sign("scope/registrations/id", key, 2_000_000_000, "registration"))
    assert token.resource == "scope/registrations/id"
    assert (token.expiry, token.key_name) == (2_000_000_000, "registration")
    assert token.signed_by((other, key))
    assert not token.signed_by((other,))
    assert not token.signed_by(())


@pytest.mark.parametrize("resource", ["a%2Fb", "a%2fb", "a/b"])
def test_the_signature_is_over_sr_as_it_was_sent(resource: str) -> None:
    # Python writes %2F, C %2f, and Python's AMQP client nothing at all.
    key = new_key()
    digest = hmac.digest(base64.b64decode(key), f"{resource}\n99".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(digest), safe="").replace("%2B", "%2b").replace("%2F", "%2f")
    token = parse_token(f"SharedAccessSignature se=99&sig={signature}&sr={resource}")
    assert token.resource == "a/b"
    assert token.signed_by((key,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SharedAccessSignature ",
        "Bearer abc",
        "SharedAccessSignature sr=a&se=1",
        "SharedAccessSignature sig=YQ%3D%3D&se=1",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=soon",
        "SharedAccessSignature sr=a&sig=YQ%3D%3D&se=-1",
        "SharedAccessSignature sr=a&sig=%%%&se=1",
        "SharedAccessSignature sr=a&sig=ü&se=1",
        "SharedAccessSignature sr=" + "a" * 5000,
    ],
)
def test_what_is_not_a_token(text: str) -> None:
    with pytest.raises(TokenError):
        parse_token(text)


@given(st.text(max_size=80))
def test_any_text_is_a_token_or_not(text: str) -> None:
    for candidate in (text, f"SharedAccessSignature {text}", f"SharedAccessSignature sr=a&sig={text}&se=1"):
        with suppress(TokenError):
            parse_token(candidate).signed_by((GROUP_KEY,))


def test_a_refusal_does_not_quote_the_token() -> None:
    with pytest.raises(TokenError) as caught:
        parse_token("SharedAccessSignature sr=a&sig=c2VjcmV0&se=never")
    assert "c2VjcmV0" not in str(caught.value)


def test_keys() -> None:
    assert is_key(new_key())
    assert not is_key("short")
    assert not is_key("YWJj")


def test_secrets_are_not_in_the_repr() -> None:
    token = parse_token(sign("a", GROUP_KEY, 1))
    assert "signature" not in repr(token)

"""Making clients of Microsoft's SDK."""

from __future__ import annotations

from typing import Any

from .settings import Settings


def proven(kind: Any, settings: Settings, **arguments: Any) -> Any:
    """A client of this class of the SDK, which proves itself as the settings say."""
    from azure.iot.device import X509

    proof = settings.proof
    if isinstance(proof, str):
        return kind.create_from_symmetric_key(symmetric_key=proof, **arguments)
    x509 = X509(proof.file, proof.key_file, proof.pass_phrase or None)  # type: ignore[no-untyped-call]
    return kind.create_from_x509_certificate(x509=x509, **arguments)


def reasons(error: BaseException) -> str:
    """An error of the SDK with its causes; the outer ones alone say little."""
    texts: dict[str, None] = {}
    cause: BaseException | None = error
    while cause is not None:
        texts[str(cause)] = None
        cause = cause.__cause__
    return "; ".join(filter(None, texts)) or type(error).__name__

"""Which certificates the client of an HTTPS request showed."""

from __future__ import annotations

from aiohttp import web


def peer_chain(request: web.Request) -> tuple[bytes, ...]:
    """Return the client's certificates, DER, its own first; empty when it showed none.

    A transport that asks for certificates says so as `get_extra_info("peer_chain")`; Python's own TLS gives the
    leaf only.
    """
    chain = request.get_extra_info("peer_chain")
    if chain:
        return tuple(chain)
    tls = request.get_extra_info("ssl_object")
    own = tls.getpeercert(binary_form=True) if tls is not None else None
    return (own,) if own else ()

"""What keeps a service from its hub, said so that a person can act on it."""

from __future__ import annotations


class ReaderError(Exception):
    """The hub's messages cannot be read. The text says why, whose move it is and what to do.

    `kind` is for programs: `package`, `name`, `closed-port`, `tls`, `credentials`, `consumer-group`, `not-found`,
    `silent`, `other`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

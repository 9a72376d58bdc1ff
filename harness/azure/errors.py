"""What keeps a service from its hub, said so that a person can act on it."""

from __future__ import annotations

from harness.azure.connection_strings import EventHubConnection


class ReaderError(Exception):
    """The hub's messages cannot be read. The text says why, whose move it is and what to do.

    `kind` is for programs: `package`, `name`, `closed-port`, `tls`, `credentials`, `consumer-group`, `not-found`,
    `silent`, `other`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def refused(host: str, policy: str) -> ReaderError:
    """A policy that may not read. Hubs do not tell a wrong key from a missing right."""
    return ReaderError(
        "credentials",
        f"{host} refused the policy {policy}: its key is not the right one (it may have been regenerated), or the "
        "policy lacks the right `service connect` (iothubowner and service have it). Copy the connection string once "
        "more; if it is the same, `preflight doctor` tells whether this machine's clock is wrong.",
    )


def explained(error: BaseException | None, where: EventHubConnection, group: str) -> ReaderError:
    """What azure-eventhub raised, in words that say what to do."""
    if isinstance(error, ReaderError):
        return error
    text = " ".join(str(error).split())
    lower, short = text.lower(), text.partition(" Error condition:")[0].rstrip(".")
    if "consumer group" in lower:
        return ReaderError(
            "consumer-group",
            f"The event hub {where.entity_path} has no consumer group {group!r}. Name one that it has, or make this "
            "one on the hub's page, Built-in endpoints, Consumer groups.",
        )
    if "quota" in lower or "resource-limit" in lower or "maximum number of" in lower or "exceeded" in lower:
        return ReaderError(
            "other",
            f"The consumer group {group!r} of {where.entity_path} has too many readers already (at most 5 a "
            "partition). End one of them, or use a consumer group of your own.",
        )
    if "link:stolen" in lower or "owner level" in lower:
        return ReaderError(
            "other",
            f"Another reader holds the consumer group {group!r} of {where.entity_path} for itself. Use a consumer "
            "group of your own.",
        )
    if any(word in lower for word in ("unauthorized", "puttokenauthorizationfailed", "invalidsignature", "401")):
        return refused(where.host, where.policy)
    if "could not be found" in lower or "not-found" in lower:
        return ReaderError(
            "not-found",
            f"{where.host} has no event hub {where.entity_path!r}. EntityPath is the Event Hub-compatible name, which "
            "the hub's page shows under Built-in endpoints.",
        )
    return ReaderError("other", f"{where.host}, event hub {where.entity_path}, cannot be read: {short or repr(error)}")

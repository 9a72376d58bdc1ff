"""The service API of DPS without HTTP: enrollments, enrollment groups and registration states.

Calls take decoded JSON and return documents; they raise ServiceError. ETags: creating needs no If-Match and
answers 409 when there is one already; updating and deleting go by If-Match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.documents import (
    GROUP,
    INDIVIDUAL,
    Kind,
    attestation_document,
    enrollment_document,
    read_enrollment,
)
from harness.emulator.dps.enrollments import Enrolled
from harness.emulator.dps.registrations import Registration
from harness.emulator.dps.webhook import check_definition
from harness.emulator.errors import ServiceError

MAX_BULK = 10
MAX_PAGE = 1000
_QUERY = re.compile(r"\s*select\s+\*\s+from\s+(\w+)\s*;?\s*", re.IGNORECASE)
_MODES = ("create", "update", "updateIfMatchETag", "delete")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query; `continuation` asks for the next, None when there is none."""

    items: list[dict[str, Any]]
    item_type: str
    continuation: str | None


class ServiceApi:
    """What the holder of a policy may do with one DPS instance."""

    def __init__(self, dps: ProvisioningService) -> None:
        self._dps = dps

    # --- enrollments ---------------------------------------------------------------------------------

    def get(self, kind: Kind, id: str) -> dict[str, Any]:  # noqa: A002
        """Raises ServiceError 404201."""
        return self._document(kind, self._find(kind, id), keys=False)

    def mechanism(self, kind: Kind, id: str) -> dict[str, Any]:  # noqa: A002
        """Return the attestation with its keys. Raises ServiceError 404201."""
        return attestation_document(self._find(kind, id).attestation, keys=True)

    def put(self, kind: Kind, id: str, body: Any, if_match: str | None) -> dict[str, Any]:  # noqa: A002
        """Create, or update with If-Match. Raises ServiceError 400, 404, 409, 412."""
        old = self._lookup(kind, id)
        if if_match is None and old is not None:
            code = self._dps.context.options.dps_conflict_code
            raise ServiceError(code, f"Enrollment {id} exists already: update it with If-Match", status=409)
        if if_match is not None:
            _check_etag(if_match, self._find(kind, id).etag)
        enrolled = read_enrollment(kind, id, body, old, self._dps.assigner.hosts)
        check_definition(enrolled, self._dps.context.options)
        enrolled.updated = self._dps.context.timestamp()
        enrolled.created = old.created if old is not None and old.created else enrolled.updated
        self._dps.enrollments.add(enrolled)
        return self._document(kind, enrolled, keys=True)

    def delete(self, kind: Kind, id: str, if_match: str | None) -> None:  # noqa: A002
        """Delete an enrollment and the registrations that came by it. Raises ServiceError 404201, 412."""
        enrolled = self._find(kind, id)
        _check_etag(if_match, enrolled.etag)
        self._dps.remove(enrolled)

    def query(self, kind: Kind, body: Any, size: str | None, continuation: str | None) -> Page:
        """Raises ServiceError 400004. Understood is `SELECT * FROM` and the kind's name."""
        text = body.get("query") if isinstance(body, dict) else None
        found = _QUERY.fullmatch(text) if isinstance(text, str) else None
        if found is None or found[1].lower() != kind.items.lower():
            raise ServiceError(400004, f"The query must be SELECT * FROM {kind.items}")
        store = self._dps.enrollments
        every = list(store.groups() if kind.group else store.individuals())
        return _page(every, kind.item_type, size, continuation, lambda one: self._document(kind, one, keys=False))

    def bulk(self, kind: Kind, body: Any) -> dict[str, Any]:
        """Carry out up to 10 of the same operation; each fails alone. Raises ServiceError 400004."""
        items = body.get(kind.items) if isinstance(body, dict) else None
        mode = body.get("mode") if isinstance(body, dict) else None
        if mode not in _MODES or not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise ServiceError(400004, f"The body needs mode, one of {', '.join(_MODES)}, and the list {kind.items}")
        if not 0 < len(items) <= MAX_BULK:
            raise ServiceError(400004, f"A bulk operation takes 1 to {MAX_BULK} {kind.items}")
        errors = []
        for item in items:
            named = str(item.get(kind.id_member, ""))
            try:
                self._one_of_bulk(kind, mode, named, item)
            except ServiceError as error:
                errors.append({kind.id_member: named, "errorCode": error.code, "errorStatus": error.message})
        return {"errors": errors, "isSuccessful": not errors}

    def _one_of_bulk(self, kind: Kind, mode: str, id: str, item: dict[str, Any]) -> None:  # noqa: A002
        if_match = {"create": None, "updateIfMatchETag": str(item.get("etag") or "")}.get(mode, "*")
        if mode == "delete":
            self.delete(kind, id, if_match)
        else:
            self.put(kind, id, item, if_match)

    # --- registrations -------------------------------------------------------------------------------

    def registration(self, registration_id: str) -> dict[str, Any]:
        """Raises ServiceError 404202."""
        return self._registration(registration_id).document()

    def delete_registration(self, registration_id: str, if_match: str | None) -> None:
        """Forget a registration; the device stays in its hub. Raises ServiceError 404202, 412."""
        _check_etag(if_match, self._registration(registration_id).state.get("etag", ""))
        self._dps.registrations.remove(registration_id)

    def query_registrations(self, group_id: str, size: str | None, continuation: str | None) -> Page:
        """Return the registration states of a group. Raises ServiceError 400004, 404201."""
        self._find(GROUP, group_id)
        every = list(self._dps.registrations.of_group(group_id))
        return _page(every, "deviceRegistration", size, continuation, Registration.document)

    # --- inside --------------------------------------------------------------------------------------

    def _lookup(self, kind: Kind, id: str) -> Enrolled | None:  # noqa: A002
        store = self._dps.enrollments
        return store.get_group(id) if kind.group else store.get(id)

    def _find(self, kind: Kind, id: str) -> Enrolled:  # noqa: A002
        found = self._lookup(kind, id)
        if found is None:
            raise ServiceError(404201, "Enrollment not found")
        return found

    def _registration(self, registration_id: str) -> Registration:
        found = self._dps.registrations.find(registration_id)
        if found is None:
            raise ServiceError(404202, "Registration not found")
        return found

    def _document(self, kind: Kind, enrolled: Enrolled, *, keys: bool) -> dict[str, Any]:
        registration = None if kind.group else self._dps.registrations.find(enrolled.id)
        allocation = self._dps.context.options.dps_allocation
        return enrollment_document(kind, enrolled, registration, keys=keys, allocation=allocation)


def _check_etag(if_match: str | None, etag: str) -> None:
    if if_match is not None and if_match.strip().strip('"') not in ("*", etag):
        raise ServiceError(412001, "Precondition failed: the ETag of If-Match is not the current one")


def _page(
    every: Sequence[Any],
    item_type: str,
    size: str | None,
    continuation: str | None,
    render: Callable[[Any], dict[str, Any]],
) -> Page:
    start = _number(continuation, "x-ms-continuation", 0, len(every))
    count = _number(size, "x-ms-max-item-count", MAX_PAGE, MAX_PAGE)
    if size is not None and count < 1:
        raise ServiceError(400004, "x-ms-max-item-count must be at least 1")
    rest = start + count < len(every)
    items: Iterable[Any] = every[start : start + count]
    return Page([render(one) for one in items], item_type, str(start + count) if rest else None)


def _number(text: str | None, name: str, default: int, most: int) -> int:
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ServiceError(400004, f"{name} must be a number")
    return min(int(text), most)


KINDS = {kind.items: kind for kind in (INDIVIDUAL, GROUP)}

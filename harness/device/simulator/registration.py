"""One registration with DPS on Microsoft's SDK, in a thread of its own."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from .plan import Plan
from .sdk import proven, reasons
from .settings import CERTIFICATE, ENDPOINT, ID_SCOPE, KEY, REGISTRATION_ID, Settings

__all__ = ["Refused", "Registration", "Unreachable", "reasons"]

_STATUS = re.compile(r"status code \d{3}")
"""In an error of the SDK: DPS answered, and will not answer otherwise when it is asked the same again."""


class Refused(Exception):
    """DPS answered, and did not assign the device. The text is a sentence."""


class Unreachable(Exception):
    """DPS did not answer. The text is a sentence."""


class Registration:
    """It begins at once; `result` waits for its end."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._settings = settings
        self._plan = plan
        self._done: Future[Any] = Future()
        # In the caller's thread: what it reads meanwhile would keep the import waiting.
        import azure.iot.device  # noqa: F401

        threading.Thread(target=self._register, name="registration", daemon=True).start()

    def result(self) -> tuple[str, str]:
        """Hub and device id that DPS assigned. Raises Refused, Unreachable."""
        from azure.iot.device.exceptions import CredentialError

        settings = self._settings
        who = f"registration id {settings.registration_id} in ID scope {settings.id_scope}"
        try:
            result = self._done.result()
        except Exception as e:
            text = (
                f"Registering {who} with {settings.endpoint}:8883 failed: {reasons(e)}. "
                f"Check {ENDPOINT}, {ID_SCOPE}, {REGISTRATION_ID} and {_proof(settings)}; "
                "the certificate authority of a local target belongs into SSL_CERT_FILE."
            )
            refused = isinstance(e, CredentialError) or _STATUS.search(reasons(e))
            raise Refused(text) if refused else Unreachable(text) from None
        if result.status != "assigned":
            raise Refused(f"DPS answered {result.status!r} for {who}: look at its enrollment.")
        return result.registration_state.assigned_hub, result.registration_state.device_id

    def _register(self) -> None:
        client = None
        try:
            from azure.iot.device import ProvisioningDeviceClient

            logging.getLogger("azure.iot.device").setLevel(logging.CRITICAL)
            client = proven(
                ProvisioningDeviceClient,
                self._settings,
                provisioning_host=self._settings.endpoint,
                registration_id=self._settings.registration_id,
                id_scope=self._settings.id_scope,
            )
            client.provisioning_payload = self._plan.dps_payload
            self._done.set_result(client.register())
        except Exception as e:
            self._done.set_exception(e)
            if client is not None:
                with suppress(Exception):  # otherwise it stays connected
                    client.shutdown()


def _proof(settings: Settings) -> str:
    return KEY if isinstance(settings.proof, str) else CERTIFICATE

"""Which topic filters IoT Hub grants: the documented ones, spelled as documented, and no wildcard of one's
own.
"""

from __future__ import annotations

METHODS = "$iothub/methods/POST/#"
TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"

_COMMON = frozenset({METHODS, TWIN_ANSWERS, DESIRED})


def is_device_bound(topic_filter: str, device_id: str) -> bool:
    """Whether this is the filter of cloud-to-device messages. The second form is the embedded C SDK's."""
    return topic_filter in (
        f"devices/{device_id}/messages/devicebound/#",
        "devices/+/messages/devicebound/#",
    )


def fits_a_topic(device_id: str) -> bool:
    """Whether a topic can hold the id; of the signs an id may have, `#` and `+` are wildcards (MQTT 3.1.1, 4.7.1).

    Without, no message can go to the device over MQTT, whatever it subscribes to: they wait for it to fetch them.
    """
    return "#" not in device_id and "+" not in device_id


def is_documented(topic_filter: str, device_id: str, module_id: str | None) -> bool:
    """Whether a device, or a module, may subscribe to this filter."""
    if topic_filter in _COMMON:
        return True
    if module_id is None:
        return is_device_bound(topic_filter, device_id)
    base = f"devices/{device_id}/modules/{module_id}"
    return topic_filter in (f"{base}/#", f"{base}/inputs/#")

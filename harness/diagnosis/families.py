"""The families: the first three digits of a code are an HTTP status, and say what sort of error it is."""

from __future__ import annotations

from harness.diagnosis.entry import Family

FAMILIES: dict[str, Family] = {
    family.digits: family
    for family in (
        Family(
            "400",
            "bad request",
            "The service knows who asks and does not accept what is asked.",
            "Do not repeat the request, it would be refused again: log it and go on with the rest.",
            "Compare the request with what the API expects: body, topic, names, api-version.",
            False,
        ),
        Family(
            "401",
            "unauthorized",
            "The service does not believe that the device is who it says.",
            "Make a new token, and register with DPS again where that does not help; wait longer between tries.",
            "Check the key or certificate, the ids it was made for, and the clock of the device.",
            False,
        ),
        Family(
            "403",
            "forbidden",
            "The service believes the device and still does not allow this: a limit, or the state of hub or device.",
            "Register with DPS again if the connection was refused; otherwise keep to the limit.",
            "Look up the limit or the state in the portal.",
            False,
        ),
        Family(
            "404",
            "not found",
            "What the request names does not exist, or cannot be reached now.",
            "Register with DPS again if the device itself is what was not found.",
            "Check the name: ids are case-sensitive in IoT Hub.",
            False,
        ),
        Family(
            "405",
            "method not allowed",
            "The service has no such operation at this address.",
            "Do not repeat the request.",
            "Check the path and the HTTP method; an id may be missing in the path.",
            False,
        ),
        Family(
            "409",
            "conflict",
            "The request contradicts what the service already has.",
            "Nothing by itself: the conflict is mostly between calls of a back end.",
            "Read the current state, then decide which of the two is right.",
            False,
        ),
        Family(
            "412",
            "precondition failed",
            "Something changed between reading it and writing it.",
            "Read again and decide anew.",
            "Read the current version, take its ETag, and write again.",
            False,
        ),
        Family(
            "413",
            "too large",
            "A message, or the number of things, is over the limit.",
            "Do not repeat it: split it or send less.",
            "Compare with the published limits of the service.",
            False,
        ),
        Family(
            "415",
            "unsupported media type",
            "The service does not take content of this type.",
            "Do not repeat the request.",
            "Send JSON, and say so in the content type.",
            False,
        ),
        Family(
            "429",
            "throttled",
            "Too many requests: the service asks for patience.",
            "Wait as long as retry-after says; without it, wait longer each time, with a random part.",
            "Send less often, spread the start of many devices, or pay for more.",
            True,
        ),
        Family(
            "499",
            "client closed the request",
            "The caller went away before the answer was ready.",
            "Try again, and wait longer for the answer.",
            "Look for a time-out that is too short, or a network that drops.",
            True,
        ),
        Family(
            "500",
            "internal error",
            "The service failed; the request may have been right.",
            "Try again with the credentials at hand, waiting longer each time; go to DPS after ten failures.",
            "Look at the service's health page; ask its support if the error stays.",
            True,
        ),
        Family(
            "502",
            "bad gateway",
            "A part of the service got no sensible answer from another.",
            "Try again, waiting longer each time, with a random part.",
            "Look at the service's health page if it stays.",
            True,
        ),
        Family(
            "503",
            "unavailable",
            "The service, or this part of it, cannot answer for the moment.",
            "Try again, waiting longer each time, with a random part.",
            "Look at the service's health page if it stays.",
            True,
        ),
        Family(
            "504",
            "time-out",
            "Somebody did not answer in time: often the device itself.",
            "Answer faster; the caller may ask again.",
            "Find out who was waited for: for a direct method it is the device.",
            True,
        ),
    )
}

"""The webhook on Azure Functions (Python v2). Azure checks the function's key before anything here runs."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

import azure.functions as func

# Deployed, this folder is the root of the app and not part of a package.
from allocation import MARK, respond  # type: ignore[import-not-found, unused-ignore]

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="allocate", methods=["POST"])  # type: ignore[untyped-decorator, unused-ignore]
def allocate(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one request of DPS."""
    received = datetime.now(timezone.utc).isoformat(timespec="seconds")
    response = respond(req.get_body(), received, req.params.get(MARK, ""))
    logging.info(response.line)
    return func.HttpResponse(response.body, status_code=response.status, mimetype="application/json", charset="utf-8")

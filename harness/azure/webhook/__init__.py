"""The allocation webhook: an Azure Functions app that shows what a device put into its register request.

This folder is the app's source: `function_app.py`, `host.json`, `requirements.txt`, and `allocation.py` with all that
it does. `python -m harness.azure.webhook` runs the same on this machine; docs/webhook.md says how to deploy it.
"""

"""Azure as a service sees it: connection strings, and what comes in from devices.

connection_strings   of a hub, a DPS, an event hub: read, or refused with the part that is wrong
redirect             the hub's built-in endpoint, found from the hub's own connection string
telemetry            messages read from that endpoint while they come
"""

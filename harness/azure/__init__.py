"""Azure as a service sees it: connection strings, what comes in from devices, what was made there.

connection_strings   of a hub, a DPS, an event hub: read, or refused with the part that is wrong
redirect             the hub's built-in endpoint, found from the hub's own connection string
telemetry, messages  messages read from that endpoint while they come, as events of the record
reaching, errors     whether a port can be reached and trusted; what keeps one from the messages, in words
provisioning         the service side of DPS: enrollments and registrations of one device
registering          what a device registered with, as the webhook saw it
webhook              the allocation webhook: a function app, or served by itself
twins                what changed between two reads of a twin
retrying, words      busy services are asked again; refusals in plain words
ledger, cost         what was made there; what a run uses
"""

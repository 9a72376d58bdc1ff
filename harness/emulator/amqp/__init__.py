"""AMQP 1.0, as services speak it to a hub: the Event Hubs-compatible endpoint and the hub's own address.

One port serves both, as devices and services here know one address only; a link's address says which is
meant:

    {entity}/ConsumerGroups/{group}/Partitions/{n}    telemetry, from a position on
    $cbs, $management                                 tokens; the event hub and its partitions described
    messages/events/…                                 the hub's address: redirected to the event hub
    messages/devicebound                              cloud-to-device messages in
    messages/servicebound/feedback                    what became of them, out

- `journal.py`, `positions.py`, `addresses.py`, `authorization.py` and `frames.py` know neither sockets nor
Proton.
- `encoding.py`, `peerdata.py` and `sasl.py` write and read AMQP data with Proton.
- `connection.py` drives Proton's engine without I/O, `links.py` and `nodes.py` are what a link can be.
- `listener.py` is the shell.

Proton builds with a compiler, so it comes with the extra `eventhub` only. Nothing here is imported before
`EmulatorOptions.amqp_port` asks for it.
"""

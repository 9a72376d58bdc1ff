"""An IoT Hub.

- `core` is the hub itself, what the service and the devices meet in; `connection` a device's or module's MQTT
connection, on `filters` and `bags`, with `devicebound` for messages to it.
- `registry` has the identities, `bulk` many at once; `access` and `x509` say who may do what.
- `twins` with `twinrules`, and `digitaltwins`, the view on them; `queries` with `querylang` and `queryvalues`.
- `methods`; `c2d` and `feedback`, queues of `locks`; `messages`, what a message may be.
- `uploads` and `blobs`, the storage account they go to; `throttles`.
"""

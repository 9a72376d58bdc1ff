"""The emulator's I/O: TLS, the MQTT listener, REST. Nothing here decides what a device or a service may do."""

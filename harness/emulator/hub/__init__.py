"""An IoT Hub: identities (`registry`), twins and their rules (`twins`, `twinrules`), digital twins, direct
methods, the
hub itself (`core`) and its MQTT connections (`connection`)."""

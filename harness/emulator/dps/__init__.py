"""The Device Provisioning Service: who may register (`enrollments`), the registration itself (`core`), and
MQTT (`mqtt`).
"""

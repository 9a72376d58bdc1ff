"""Pre-flight for IoT Plug and Play devices."""

"""Several devices in one preflight.toml."""

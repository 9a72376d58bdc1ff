"""Faults on order: for which device, at which moment, what goes wrong.

An operation is handed to the gate as a continuation, not asked about with a flag: the gate then can carry it
out (no fault), never (silence), later (delay), twice (duplicate), answer in its place (an error status), or
cut the connection, and the cores know nothing of plans, counters or delays.

- `gate` is what the cores see: the moments (`Point`), an `Operation`, and the gate they hand it to.
- `plan` is an order: `Fault` and `Plan`, and the table of what can be ordered where.
- `reading` makes a plan from TOML, JSON or keyword arguments, with one set of rules and sentences.
- `player` is the gate that plays a plan: it counts the moments, decides, and tells the record; `acts` is what
  it then does. The faults of a TLS handshake are played by `shell/tls_faults.py`.
"""

from harness.emulator.faults.gate import (
    Answer,
    FaultGate,
    NoFaults,
    Operation,
    Point,
    Pretence,
    carry_out_later,
)
from harness.emulator.faults.plan import NO_FAULTS, Fault, Plan, PlanError
from harness.emulator.faults.reading import fault, from_document, from_toml, load

__all__ = [
    "NO_FAULTS",
    "Answer",
    "Fault",
    "FaultGate",
    "NoFaults",
    "Operation",
    "Plan",
    "PlanError",
    "Point",
    "Pretence",
    "carry_out_later",
    "fault",
    "from_document",
    "from_toml",
    "load",
]

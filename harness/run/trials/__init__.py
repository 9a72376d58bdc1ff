"""Trials: the device is disturbed by faults, or started anew, and what it does is evidence of that alone.

    trial        what a trial is
    stage        what it works with: faults, the device, the service, waits on its own evidence
    settling     when a device that was started again has come to rest
    conductor    runs the trials that the chosen cases need, one after the other, each leaving the next unharmed
    catalogue    all trials in the order they are run; `hub`, `dps` and `certificates` conduct them

The checks that judge them are in `harness.checks` (resilience_*, security), and so are the bounds.
"""

from harness.run.trials.conductor import Bench, conduct_trials

__all__ = ["Bench", "conduct_trials"]

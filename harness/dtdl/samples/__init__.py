"""The old address of `harness.dtdl.sampling`.

A package of this name hides the function `harness.dtdl.samples`, as Python makes a loaded submodule an attribute of
its parent. Calling the module calls the function, until nothing imports from here.
"""

import sys
from types import ModuleType

from ..sampling import invalid_samples, sample, samples

__all__ = ["invalid_samples", "sample", "samples"]


class _Callable(ModuleType):
    __call__ = staticmethod(samples)


sys.modules[__name__].__class__ = _Callable

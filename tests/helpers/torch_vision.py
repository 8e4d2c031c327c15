"""torchvision's networks, to compare with: its Python part, which needs no compiled operators.

Its compiled part belongs to one build of PyTorch, and refuses to be loaded by another. The networks
of `torchvision.models` do not use it; only the import of the package asks for it.
"""

import sys
import types

import pytest


def torchvision_models():
    """Return the module ``torchvision.models``; the test is skipped where it is not installed."""
    pytest.importorskip("torch")
    registrations = "torchvision._meta_registrations"
    sys.modules.setdefault(registrations, types.ModuleType(registrations))
    return pytest.importorskip("torchvision.models")

"""Keeping freed memory: what it does on Linux, and that it harms nothing elsewhere."""

import platform
import subprocess
import sys

import pytest

from convbook.kernels import memory

# In a process of its own, because it cannot be undone: how many new pages ten large arrays cost.
COUNT_PAGES = """
import resource
import numpy as np
from convbook.kernels.memory import keep_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(2**18)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

freed = pages()
assert keep_memory() is True
np.ones(2**18)  # this one is kept
print(freed, pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_freed_memory_is_used_again():
    result = subprocess.run(
        [sys.executable, "-c", COUNT_PAGES], capture_output=True, text=True, check=True
    )
    freed, kept = map(int, result.stdout.split())
    assert freed > 500 and kept < freed / 10


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_left_alone(monkeypatch, system):
    monkeypatch.setattr(memory.sys, "platform", system)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: pytest.fail("asked the C library"))
    assert memory.keep_memory() is False


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert memory.keep_memory() is False

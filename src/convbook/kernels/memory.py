"""Asking the C library to keep freed memory, which makes training on Linux faster.

A training step allocates the same large arrays again and again. The C library of Linux (glibc)
hands every large block back to the operating system as soon as it is freed, and the next step asks
for it anew: the system must then clear each page of 4 kB before its first use, which can take a
good part of a step's time. `keep_memory` tells glibc to hold on to freed blocks instead.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h


def keep_memory(limit=2**30):
    """Keep up to `limit` bytes of freed memory in this process, for its next arrays.

    It holds for the whole process and cannot be undone, so call it at the start of a program that
    trains; nothing else calls it. The process then looks larger to the system than it is.

    Parameters
    ----------
    limit : int
        Blocks up to this size, and so much in total, are kept; 1 GiB if not given.

    Returns
    -------
    bool
        True if the C library took it; False on other systems than Linux with glibc, where
        nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library than glibc
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, limit) and mallopt(M_TRIM_THRESHOLD, limit))

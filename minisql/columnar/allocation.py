"""Arrays come and go with every batch: their memory should stay with the process in between."""

from __future__ import annotations

from typing import Final

import numpy as np

_LARGEST_KEPT_BLOCK: Final = 31 << 20


def keep_freed_memory() -> None:
    """Makes the allocator of glibc keep freed blocks of the size of a batch's arrays.

    It gets blocks of more than 128 KB from the kernel one by one, and gives them back: the page faults then cost up to
    ten times the arithmetic. But it learns: it keeps blocks up to the size of the largest that was ever freed, at most
    32 MB (mallopt(3), M_MMAP_THRESHOLD). Here it learns that at once, from a block that nobody touches and that thus
    costs no memory. On other allocators this does nothing.
    """
    np.empty(_LARGEST_KEPT_BLOCK, np.uint8)

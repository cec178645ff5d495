"""Detectors given by their cells, as the nulls are given those of features."""

import numpy as np

from genointerp.association.count.hits import Detections, reaching_codes


def detect(*cells):
    """Detectors of the given cells, among hits of their own that are too weak."""
    sizes = [2 * len(own) for own in cells]
    stop = np.cumsum(sizes, dtype=np.int64)
    cell = np.concatenate([np.repeat(np.sort(own), 2) for own in cells] or [np.zeros(0)])
    # each hit twice, once below the threshold
    value = np.tile(np.array([1.5, 2.0], np.float16), len(cell) // 2)
    reach = reaching_codes(np.full(len(cells), 2.0))
    return Detections(stop - sizes, stop, cell.astype(np.int32), value.view(np.uint16), reach)

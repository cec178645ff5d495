"""Inner loops of the nulls, compiled as those of `genointerp.association.count.kernels`.

Detectors of one label are given together, as in `genointerp.association.count.hits.Detections`.
"""

from typing import no_type_check

import numpy as np

from genointerp.association.count.kernels import compiled, find_switches

_ROWS = 8
"""Number of windows that are added at once."""

_GROUP = 248
"""Number of windows that can be added up in 8 bits; a multiple of `_ROWS`."""

_FEW = 6
"""Number of places up to which steps from place to place are faster than a look-up per draw."""


@compiled
@no_type_check
def count_rotated(start, stop, cell, code, reach, n_bp, inverse, last, track, count):
    """Count the detected cells that a label covers after each of consecutive rotations.

    ``track`` holds the label on both strands in the order of a walk, of which ``inverse`` is the
    inverse step. Each strand is extended by the number of rotations minus one. ``last`` is the last
    multiple of the step.
    """
    n = count.shape[1]
    width = n_bp + n - 1
    at, n_waiting, n_added = np.empty(_ROWS, np.int64), 0, 0
    window = np.zeros(n, np.uint8)
    for d in range(len(start)):
        place, latest = 0, -2
        for i in range(start[d], stop[d]):
            if code[i] < reach[d]:
                continue
            strand = 1 if cell[i] >= n_bp else 0
            # after rotation by step * j, base x has the label of base x - step * j
            if cell[i] == latest + 1:
                place += inverse if place + inverse < n_bp else inverse - n_bp
            else:
                place = ((cell[i] - strand * n_bp) * inverse - last) % n_bp
            latest = cell[i]
            at[n_waiting] = strand * width + place
            n_waiting += 1
            if n_waiting == _ROWS:
                add_windows(window, track, at)
                n_waiting, n_added = 0, n_added + _ROWS
                if n_added == _GROUP:
                    move_into(window, count[d])
                    n_added = 0
        for i in range(n_waiting):
            add_window(window, track[at[i] : at[i] + n])
        move_into(window, count[d])
        n_waiting, n_added = 0, 0


@compiled
@no_type_check
def add_windows(window, track, at):
    """Add the windows of a track that begin at 8 places."""
    n = len(window)
    a, b = track[at[0] : at[0] + n], track[at[1] : at[1] + n]
    c, d = track[at[2] : at[2] + n], track[at[3] : at[3] + n]
    e, f = track[at[4] : at[4] + n], track[at[5] : at[5] + n]
    g, h = track[at[6] : at[6] + n], track[at[7] : at[7] + n]
    for k in range(n):
        window[k] += a[k] + b[k] + c[k] + d[k] + e[k] + f[k] + g[k] + h[k]


@compiled
@no_type_check
def add_window(window, row):
    """Add one window."""
    for k in range(len(window)):
        window[k] += row[k]


@compiled
@no_type_check
def move_into(window, count):
    """Add a window to the counts and clear it; it runs from the last rotation to the first."""
    n = len(window)
    for k in range(n):
        count[n - 1 - k] += window[k]
        window[k] = 0


@compiled
@no_type_check
def count_exchanged(
    start,
    stop,
    cell,
    code,
    reach,
    n_bp,
    step,
    edge,
    phase,
    slot,
    sign,
    found,
    n_places,
    drawn,
    observed,
    null,
):
    """Count the detected cells in elements and in the places they are exchanged with.

    For each edge, in ascending order, the detected cells before it whose position is ``phase``
    modulo ``step`` are counted. This count, times the sign of the edge, is added to its ``slot``,
    which is a place of an element. ``found`` is scratch space of elements by places. Each element
    with a detected cell in some place uses up one row of ``drawn``.
    """
    flat = found.reshape(-1)
    before = np.empty(step, np.int64)
    for d in range(len(start)):
        found[:], before[:] = 0, 0
        i = start[d]
        for e in range(len(edge)):
            while i < stop[d] and cell[i] < edge[e]:
                if code[i] >= reach[d]:
                    before[cell[i] % n_bp % step if step > 1 else 0] += 1
                i += 1
            flat[slot[e]] += sign[e] * before[phase[e]]
        n_used = 0
        for one in range(len(found)):
            observed[d] += found[one, 0]
            if found[one].any():
                exchange(found[one, : n_places[one]], drawn[n_used], null[d])
                n_used += 1


@compiled
@no_type_check
def exchange(found, drawn, null):
    """Add in each draw the count of the place that a number below 2 ** 16 chooses."""
    n = len(found)
    if n > _FEW:
        for k in range(len(null)):
            place = np.uint32(np.uint32(drawn[k]) * np.uint32(n)) >> np.uint32(16)
            null[k] += found[np.uint32(place)]
        return
    for k in range(len(null)):
        null[k] += found[0]
    for place in range(1, n):
        rise = found[place] - found[place - 1]
        if rise != 0:
            # the least number that chooses this place or a later one
            least = np.uint16(((place << 16) + n - 1) // n)
            for k in range(len(null)):
                null[k] += rise if drawn[k] >= least else 0


@compiled
@no_type_check
def find_all_switches(start, stop, cell, code, reach, places, row_of, is_apart, parts, on, off):
    """Find where detectors switch on and off at each element, by `find_switches`.

    The cells are those from ``places[0]`` to ``places[1]``; ``places[2]`` is subtracted to give
    their positions. ``row_of`` holds the row of each position, and ``is_apart`` whether it does not
    follow the row before it. ``on`` and ``off`` are filled for each detector.
    """
    low, high, shift = places
    begin, end, far, is_reverse, frame, before, element = parts
    n_most = 0
    for d in range(len(start)):
        n_most = max(n_most, stop[d] - start[d])
    row = np.empty(n_most, np.int64)
    run_first, run_last = np.empty(n_most, np.int64), np.empty(n_most, np.int64)
    both_on, both_off = np.empty((2, on.shape[1]), np.int64), np.empty((2, on.shape[1]), np.int64)
    for d in range(len(start)):
        n, latest = 0, -1
        for i in range(start[d] + np.searchsorted(cell[start[d] : stop[d]], low), stop[d]):
            if cell[i] >= high:
                break
            if code[i] >= reach[d]:
                at = cell[i] - shift
                row[n] = row_of[at]
                is_next = n > 0 and cell[i] == latest + 1 and not is_apart[at]
                run_first[n] = run_first[n - 1] if is_next else row[n]
                latest = cell[i]
                n += 1
        for i in range(n - 1, -1, -1):
            is_inner = i + 1 < n and run_first[i + 1] == run_first[i]
            run_last[i] = run_last[i + 1] if is_inner else row[i]
        both_on[0], both_on[1] = on[d], on[d]
        both_off[0], both_off[1] = off[d], off[d]
        find_switches(
            row[:n],
            run_first[:n],
            run_last[:n],
            begin,
            end,
            far,
            is_reverse,
            frame,
            before,
            element,
            both_on,
            both_off,
        )
        on[d], off[d] = both_on[1], both_off[1]

"""Inner loops of counting, compiled by numba and run without the interpreter's lock.

They check only what is stated: `genointerp.association.count.patch` and `.tally` must call them
with arrays that fit together. A *code* is the bits of a positive float16, which are ordered as its
values are. The *level* of a code is the last of several ascending thresholds that it reaches, or
-1.
"""

from collections.abc import Callable
from typing import TypeVar, cast, no_type_check

import numba
import numpy as np

N_CODES = 0x7C01
"""Number of codes: 0, the positive numbers, and infinity."""

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function on its first call, and cache the code for other processes if possible."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(F, numba.njit(nogil=True)(function))


@compiled
@no_type_check
def refine(patch, cell, element, n_patches, stamp, successor, parent, owner):
    """Move the cells of elements into new patches; return the number of new patches.

    The i-th new patch has the number ``n_patches + i``, and the elements of patch ``parent[i]``
    together with the element ``owner[i]``.
    """
    n = 0
    for i in range(len(cell)):
        old = patch[cell[i]]
        if stamp[old] != element[i]:
            stamp[old] = element[i]
            successor[old] = n_patches + n
            parent[n] = old
            owner[n] = element[i]
            n += 1
        patch[cell[i]] = successor[old]
    return n


@compiled
@no_type_check
def unroll(patch, parent, owner, n_roots, size, root, element):
    """List the elements of each patch, and its root, the patch without elements it descends from.

    ``size`` is filled always, ``element`` only as far as it is long enough. Returns the total
    number of elements.
    """
    n = 0
    for i in range(len(patch)):
        at, size[i] = patch[i], 0
        while at >= n_roots:
            if n < len(element):
                element[n] = owner[at - n_roots]
            n += 1
            size[i] += 1
            at = parent[at - n_roots]
        root[i] = at
    return n


@compiled
@no_type_check
def gather(indptr, start, row, code, patch_of_row, position, stop, out_patch, out_code):
    """Append those hits of a slice that lie in a patch to the hits of their features.

    Returns False if the slice names rows or codes that do not exist, or more hits than there is
    room for.
    """
    for i in range(len(indptr) - 1):
        at = position[i]
        if indptr[i] < 0 or indptr[i + 1] > len(row) or at + indptr[i + 1] - indptr[i] > stop[i]:
            return False
        for h in range(indptr[i], indptr[i + 1]):
            base = start + row[h]
            if base >= len(patch_of_row) or code[h] == 0 or code[h] >= N_CODES:
                return False
            if patch_of_row[base] >= 0:
                out_patch[at] = patch_of_row[base]
                out_code[at] = code[h]
                at += 1
        position[i] = at
    return True


@compiled
@no_type_check
def largest(start, stop, code, out):
    """Find the largest code of each feature; 0 if it does not fire."""
    for f in range(len(start)):
        best = 0
        for i in range(start[f], stop[f]):
            best = max(best, code[i])
        out[f] = best


@compiled
@no_type_check
def fill_levels(reach, level_of):
    """Tabulate the level of every code; each threshold is given as the lowest code reaching it."""
    low = 0
    for level in range(len(reach)):
        for code in range(low, reach[level]):
            level_of[code] = level - 1
        low = max(low, reach[level])
    for code in range(low, N_CODES):
        level_of[code] = len(reach) - 1


@compiled
@no_type_check
def count_levels(start, stop, patch, code, reach, class_of, atom_offset, atom, n_feature, n_both):
    """Count the hits at each level: all of them, and those of each atom in the class of a patch."""
    n_atoms, n_levels = n_both.shape[1], reach.shape[1]
    level_of = np.empty(N_CODES, np.int16)
    for f in range(len(start)):
        fill_levels(reach[f], level_of)
        for i in range(start[f], stop[f]):
            level, kind = level_of[code[i]], class_of[patch[i]]
            if level >= 0:
                n_feature[f, level] += 1
                for j in range(atom_offset[kind], atom_offset[kind + 1]):
                    n_both[f, atom[j], level] += 1
        # a hit that reaches a level also reaches the levels below
        for level in range(n_levels - 2, -1, -1):
            n_feature[f, level] += n_feature[f, level + 1]
            for one in range(n_atoms):
                n_both[f, one, level] += n_both[f, one, level + 1]


@compiled
@no_type_check
def count_stretches(
    start,
    stop,
    patch,
    code,
    reach,
    chosen,
    stretch_of,
    class_of,
    atom_offset,
    atom,
    part_offset,
    part,
    n_feature,
    n_both,
):
    """Count the hits at the chosen level of each label, separately for each stretch.

    ``atom`` lists the atoms of each class of patches, and ``part`` those of each label, which is
    their union.
    """
    n_labels, n_stretches, n_levels = chosen.shape[1], n_feature.shape[2], reach.shape[1]
    n_atoms = 0
    for one in part:
        n_atoms = max(n_atoms, one + 1)
    level_of = np.empty(N_CODES, np.int16)
    total = np.empty((n_stretches, n_levels), np.int64)
    of_atom = np.empty((n_atoms, n_stretches, n_levels), np.int64)
    for f in range(len(start)):
        fill_levels(reach[f], level_of)
        total[:], of_atom[:] = 0, 0
        for i in range(start[f], stop[f]):
            level, kind, stretch = level_of[code[i]], class_of[patch[i]], stretch_of[patch[i]]
            if level >= 0:
                total[stretch, level] += 1
                for j in range(atom_offset[kind], atom_offset[kind + 1]):
                    of_atom[atom[j], stretch, level] += 1
        for stretch in range(n_stretches):
            for level in range(n_levels - 2, -1, -1):
                total[stretch, level] += total[stretch, level + 1]
            for one in range(n_labels):
                lowest = chosen[f, one]
                n_feature[f, one, stretch] = total[stretch, lowest]
                for j in range(part_offset[one], part_offset[one + 1]):
                    for level in range(lowest, n_levels):
                        n_both[f, one, stretch] += of_atom[part[j], stretch, level]


@compiled
@no_type_check
def count_elements(
    start, stop, patch, code, reach, patch_offset, element, element_label, whole, n_hit
):
    """Count the elements of each label on which at least one hit reaches each level.

    ``whole`` is the element outside all patches of which an element is a reading; -1 if there is
    none.
    """
    n_patches, n_elements = len(patch_offset) - 1, len(element_label)
    n_levels = reach.shape[1]
    level_of = np.empty(N_CODES, np.int16)
    # one more than the highest level, so that 0 means none
    best, highest = np.zeros(n_patches, np.int16), np.zeros(n_elements, np.int16)
    met, hit = np.empty(n_patches, np.int64), np.empty(n_elements, np.int64)
    for f in range(len(start)):
        fill_levels(reach[f], level_of)
        n_met, n_elements_hit = 0, 0
        for i in range(start[f], stop[f]):
            level, at = level_of[code[i]] + 1, patch[i]
            if level > best[at]:
                if best[at] == 0:
                    met[n_met] = at
                    n_met += 1
                best[at] = level
        for at in met[:n_met]:
            for j in range(patch_offset[at], patch_offset[at + 1]):
                if best[at] > highest[element[j]]:
                    if highest[element[j]] == 0:
                        hit[n_elements_hit] = element[j]
                        n_elements_hit += 1
                    highest[element[j]] = best[at]
            best[at] = 0
        for i in range(n_elements_hit):
            one = whole[hit[i]]
            if one >= 0 and highest[hit[i]] > highest[one]:
                if highest[one] == 0:
                    hit[n_elements_hit] = one
                    n_elements_hit += 1
                highest[one] = highest[hit[i]]
        for one in hit[:n_elements_hit]:
            n_hit[f, element_label[one], highest[one] - 1] += 1
            highest[one] = 0
        for i in range(n_hit.shape[1]):
            for level in range(n_levels - 2, -1, -1):
                n_hit[f, i, level] += n_hit[f, i, level + 1]


@compiled
@no_type_check
def sum_ranks(
    start,
    stop,
    patch,
    code,
    class_of,
    atom_offset,
    atom,
    n_atoms,
    n_pairs,
    n_positive,
    n_covered,
    rank,
    precision,
):
    """Sum over the bases of each label their ranks, and the precision at their activation.

    ``atom`` lists the atoms of each class of patches. Atoms are ordered: sense alone for each of
    ``n_pairs`` concepts, then antisense alone for each, then both readings at once for each, and
    finally the labels that are not a union. Labels are in the same order: sense of each concept,
    antisense of each, ``both`` of each, then the others.
    """
    n_labels, n_most = len(n_positive), 1
    for f in range(len(start)):
        n_most = max(n_most, stop[f] - start[f])
    upto = np.zeros(N_CODES + 1, np.int64)
    kinds = np.empty(n_most, np.int32)
    of_atom = np.empty(n_atoms, np.int64)
    found, before = np.empty(n_labels, np.int64), np.empty(n_labels, np.int64)
    for f in range(len(start)):
        lowest, highest = N_CODES, 0
        for i in range(start[f], stop[f]):
            upto[code[i] + 1] += 1
            lowest, highest = min(lowest, code[i]), max(highest, code[i])
        for c in range(lowest, highest + 1):
            upto[c + 1] += upto[c]
        # sorted by code: upto[c] moves from the first to one past the last hit of code c
        for i in range(start[f], stop[f]):
            kinds[upto[code[i]]] = class_of[patch[i]]
            upto[code[i]] += 1
        of_atom[:], found[:], before[:] = 0, 0, 0
        n_above = 0
        for c in range(highest, lowest - 1, -1):
            first = upto[c - 1] if c > lowest else 0
            n_tied = upto[c] - first
            if n_tied == 0:
                continue
            for kind in kinds[first : upto[c]]:
                for j in range(atom_offset[kind], atom_offset[kind + 1]):
                    of_atom[atom[j]] += 1
            for i in range(n_pairs):
                sense, at_once = of_atom[i], of_atom[2 * n_pairs + i]
                antisense = of_atom[n_pairs + i] + at_once
                found[i], found[n_pairs + i] = sense + at_once, antisense
                found[2 * n_pairs + i] = sense + antisense
            for i in range(3 * n_pairs, n_labels):
                found[i] = of_atom[i]
            n_above += n_tied
            mean_rank = n_covered - n_above + (n_tied + 1) / 2
            share = 1 / n_above
            for i in range(n_labels):
                fresh = found[i] - before[i]
                rank[f, i] += fresh * mean_rank
                precision[f, i] += fresh * (found[i] * share)
                before[i] = found[i]
        # all silent bases are tied, below those that fire
        for i in range(n_labels):
            silent = n_positive[i] - found[i]
            rank[f, i] += silent * (n_covered - n_above + 1) / 2
            precision[f, i] += silent * (n_positive[i] / n_covered)
        for c in range(lowest, highest + 2):
            upto[c] = 0


@compiled
@no_type_check
def find_switches(
    row, run_first, run_last, start, end, reach, is_reverse, frame, before, element, on, off
):
    """Find the first and the last detected base of each element, and the runs they lie in.

    ``on[0]`` and ``off[0]`` are these bases, counted from the start of the element; ``on[1]`` and
    ``off[1]`` are the first base of the former's run and the last base of the latter's. Rows and
    starts of parts must be in ascending order.
    """
    n_begun = 0
    for i in range(len(row)):
        at = row[i]
        while n_begun < len(start) and start[n_begun] <= at:
            n_begun += 1
        part = n_begun - 1
        while part >= 0 and reach[part] > at:
            within = end[part] - 1 - at if is_reverse[part] else at - start[part]
            is_of_frame = frame[part] < 0 or (
                within >= frame[part] and (within - frame[part]) % 3 == 0
            )
            if end[part] > at and is_of_frame:
                one, place = element[part], before[part] + within
                upstream, downstream = at - run_first[i], run_last[i] - at
                if is_reverse[part]:
                    upstream, downstream = downstream, upstream
                if place < on[0, one]:
                    on[0, one], on[1, one] = place, place - upstream
                if place > off[0, one]:
                    off[0, one], off[1, one] = place, place + downstream
            part -= 1

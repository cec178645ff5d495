"""Test whether RNA folds better than its dinucleotide composition predicts, by ViennaRNA.

This is not a finder: it tests a stretch that something else has found.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import UInt8

from genointerp.annotation.finders.finding import needed
from genointerp.core.seed import rng


def folding_z(sequence: UInt8[np.ndarray, " bp"], *, n_shuffles: int, seed: int) -> float:
    """Return how many standard deviations the folding energy lies below that of shuffled bases.

    Parameters
    ----------
    sequence
        ASCII codes, 5' to 3'.

    Returns
    -------
    float
        ``(E - mean E_shuffled) / sd E_shuffled``, negative if it folds better; NaN if all
        shuffled sequences have the same energy.

    Notes
    -----
    E is the minimum free energy (Lorenz et al. 2011). Shuffling keeps every dinucleotide, since
    stacking energies depend on them (Workman and Krogh 1999).

    Raises
    ------
    MissingToolError
        If ViennaRNA is not installed.
    """
    with needed("viennarna"):
        import RNA

    draw = rng(seed, "dinucleotide shuffles")
    shuffled = [dinucleotide_shuffle(sequence, draw) for _ in range(n_shuffles)]
    energies = np.array([RNA.fold(one.tobytes().decode())[1] for one in [sequence, *shuffled]])
    spread = float(energies[1:].std(ddof=1)) if n_shuffles > 1 else 0.0
    return float(energies[0] - energies[1:].mean()) / spread if spread > 0 else float("nan")


def dinucleotide_shuffle(
    sequence: UInt8[np.ndarray, " bp"], draw: np.random.Generator
) -> UInt8[np.ndarray, " bp"]:
    """Return a sequence with the same dinucleotides in another order.

    Notes
    -----
    A random Eulerian path over the dinucleotides (Altschul and Erickson 1985): the last step out
    of each letter is drawn until these last steps all lead to the end; the other steps are in
    random order. First and last base stay.
    """
    text = sequence.tolist()
    if len(text) < 3:
        return sequence.copy()
    after: dict[int, list[int]] = {letter: [] for letter in dict.fromkeys(text)}
    for one, following in pairwise(text):
        after[one].append(following)
    end = text[-1]
    leaving = [letter for letter in after if letter != end]
    while True:
        last = {letter: int(draw.integers(len(after[letter]))) for letter in leaving}
        if _all_lead_to({letter: after[letter][last[letter]] for letter in leaving}, end):
            break
    order = {}
    for letter, steps in after.items():
        closing = [steps.pop(last[letter])] if letter in last else []
        order[letter] = iter([*(steps[i] for i in draw.permutation(len(steps))), *closing])
    shuffled = [text[0]]
    while len(shuffled) < len(text):
        shuffled.append(next(order[shuffled[-1]]))
    return np.array(shuffled, dtype=np.uint8)


def _all_lead_to(step: dict[int, int], end: int) -> bool:
    for letter in step:
        seen = set()
        while letter != end:
            if letter in seen:
                return False
            seen.add(letter)
            letter = step[letter]
    return True

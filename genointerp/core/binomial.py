"""How likely so many hits are by chance."""

from scipy.special import betainc


def chance_of_at_least(k: int, n: int, p: float) -> float:
    """Return the chance of ``k`` or more hits in ``n`` independent throws, each a hit with ``p``.

    Notes
    -----
    The regularised incomplete beta function ``I_p(k, n - k + 1)``, as `scipy.stats.binom.sf` of
    ``k - 1``; that module takes a second to load.

    Examples
    --------
    >>> chance_of_at_least(1, 2, 0.5)
    0.75
    """
    if k <= 0:
        return 1.0
    return float(betainc(k, n - k + 1, p)) if k <= n else 0.0

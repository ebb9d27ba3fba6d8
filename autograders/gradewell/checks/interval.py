"""How sure a share is that was counted."""

from __future__ import annotations


def clopper_pearson(hits: int, tries: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval that holds the true share with at least this confidence (Clopper and Pearson 1934).

    Parameters
    ----------
    hits, tries : int
        0 <= hits <= tries. Without tries nothing is known: 0 to 1.
    confidence : float
        Half of what is left is on either side.

    Returns
    -------
    tuple of float
        0 to 1.
    """
    if not 0 <= hits <= tries:
        raise ValueError(f"{hits} hits in {tries} tries cannot be")
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, tries - hits + 1, tail))
    high = 1.0 if hits == tries else float(betaincinv(hits + 1, tries - hits, 1 - tail))
    return low, high

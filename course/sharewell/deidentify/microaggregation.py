"""Microaggregation: numbers replaced by the mean of their neighbours."""

from __future__ import annotations

import numpy as np

from sharewell.errors import SharewellError


def microaggregated(values: np.ndarray, k: int) -> np.ndarray:
    """Each value replaced by the mean of a group of at least k neighbours, with the least possible loss.

    The groups are those with the smallest sum of squared errors (Hansen and Mukherjee 2003): in sorted order every best grouping has
    runs of k to 2k - 1 values, so that the best one is a shortest path. Takes n times k steps.

    Parameters
    ----------
    values : array of float, shape (n,)
        Without missing ones.
    k : int
        1 to n.

    Returns
    -------
    array of float, shape (n,)

    Raises
    ------
    SharewellError
        Fewer than k values, or a k below 1.
    """
    n = len(values)
    if not 1 <= k <= n:
        raise SharewellError(f"groups of {k} cannot be made of {n} values")
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values, dtype=float)[order]
    centred = ordered - ordered.mean()  # squares of large numbers would lose their digits
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    best, start = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    best[0] = 0.0
    for end in range(k, n + 1):
        begins = np.arange(max(0, end - 2 * k + 1), end - k + 1)
        total = sums[end] - sums[begins]
        loss = squares[end] - squares[begins] - total**2 / (end - begins)
        costs = best[begins] + loss
        chosen = int(costs.argmin())
        best[end], start[end] = costs[chosen], begins[chosen]
    made, end = np.empty(n), n
    while end > 0:
        made[start[end] : end] = ordered[start[end] : end].mean()
        end = int(start[end])
    back = np.empty(n)
    back[order] = made
    return back

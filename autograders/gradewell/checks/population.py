"""The secret from which hidden populations are drawn."""

from __future__ import annotations

import hashlib
import os
import secrets

VARIABLE = "SHAREWELL_SECRET"


def population_seed(lab: str) -> int:
    """The seed of a lab's hidden populations.

    The checks are public, the populations are not (Kerckhoffs's principle): they follow from the course's
    secret, which ``nbgrader_config.py`` reads from ``secret.txt`` in the course folder and hands to the
    kernel as ``SHAREWELL_SECRET``. Every submission of one course meets the same populations. Without a
    secret (the instructor tries a notebook by hand) each call draws new ones.

    Returns
    -------
    int
        0 to 2**63 - 1.
    """
    secret = os.environ.get(VARIABLE)
    if not secret:
        return secrets.randbits(63)
    digest = hashlib.blake2b(lab.encode(), key=secret.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1

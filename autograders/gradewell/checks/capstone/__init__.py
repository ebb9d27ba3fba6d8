"""The capstone: eight resources, five requesters, an exchange, a release (``gradewell.checks.release``), and an attack on those of others."""

from gradewell.checks.capstone.attack import attacked, attacks, handed_out
from gradewell.checks.capstone.catalogue import (
    AUDIENCES,
    REQUESTERS,
    RESOURCES,
    catalogued,
    labels,
    service,
)
from gradewell.checks.capstone.exchange import audited, closes, logs

__all__ = [
    "AUDIENCES",
    "REQUESTERS",
    "RESOURCES",
    "attacked",
    "attacks",
    "audited",
    "catalogued",
    "closes",
    "handed_out",
    "labels",
    "logs",
    "service",
]

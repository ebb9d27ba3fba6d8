"""A small exchange for public data that runs the closed loop: catalogue, classify, request, approve, release, use, audit, revoke.

>>> from datetime import date
>>> from sharewell.exchange import Exchange, Refused
>>> people = {"Ana": ["owner"], "Sten": ["steward"], "Kim": ["committee"], "Mara": ["consumer"]}
>>> exchange = Exchange(people, date(2026, 3, 2))
>>> exchange.catalogue("Sten", "beds", ["ward", "free"], owner="Ana")
>>> exchange.classify("Sten", "beds", "restricted")
>>> exchange.confirm("Kim", "beds")
>>> grant = exchange.request("Mara", "beds", "planning", ["ward"], date(2026, 12, 31))
>>> try:
...     exchange.approve("Mara", grant)
... except Refused as refusal:
...     print(refusal)
only the owner of beds may decide on it
>>> [(record["event"], record["outcome"]) for record in exchange.log][-2:]
[('request', 'allowed'), ('approve', 'refused')]
"""

from sharewell.exchange.loop import Exchange, Grant, Refused, Resource
from sharewell.exchange.records import Log, Tampered, verify

__all__ = ["Exchange", "Grant", "Log", "Refused", "Resource", "Tampered", "verify"]

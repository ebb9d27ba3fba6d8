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
...     exchange.approve("Kim", grant)
... except Refused as refusal:
...     print(refusal)
only its owner may decide on it, and only the committee once it is escalated
>>> [(record["event"], record["outcome"]) for record in exchange.log][-2:]
[('request', 'allowed'), ('approve', 'refused')]
"""

from sharewell.exchange.loop import Exchange
from sharewell.exchange.records import Log, Refused, Tampered, verify
from sharewell.exchange.store import File, Grant, Resource

__all__ = ["Exchange", "File", "Grant", "Log", "Refused", "Resource", "Tampered", "verify"]

"""Does an exchange run the closed loop? Stories of what people attempt on it, and a monitor that reads only its log."""

from gradewell.checks.loop.check import closes, transitions
from gradewell.checks.loop.monitor import INVARIANTS, Breach, breaches
from gradewell.checks.loop.replay import attempt
from gradewell.checks.loop.scripts import FIRST, PEOPLE, scripts
from gradewell.checks.loop.stories import stories

__all__ = [
    "FIRST",
    "INVARIANTS",
    "PEOPLE",
    "Breach",
    "attempt",
    "breaches",
    "closes",
    "scripts",
    "stories",
    "transitions",
]

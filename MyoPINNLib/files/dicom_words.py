"""What a DICOM series is called, as far as a few known words say: stress or rest, and the level of its slice.

A series description is free text and may hold a person's name: it is looked through for these words, and forgotten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..settings import SliceLevel

_LONGEST = 256


class Condition(Enum):
    """Under a stress agent, or at rest."""

    STRESS = "stress"
    REST = "rest"


_CONDITIONS = {
    Condition.STRESS: {"stress", "adeno", "adenosine", "regadenoson", "dipyridamole", "belastung"},
    Condition.REST: {"rest", "ruhe", "repos", "reposo"},
}
_LEVELS = {
    SliceLevel.BASAL: {"basal", "base", "basis", "bas"},
    SliceLevel.MID: {"mid", "middle", "midventricular", "mittig", "medial"},
    SliceLevel.APICAL: {"apical", "apex", "apikal", "api"},
}


@dataclass(frozen=True)
class Words:
    """What is known of a series by its name; None where it does not say, or says both."""

    condition: Condition | None = None
    level: SliceLevel | None = None


def words_of(description: object) -> Words:
    """The known words of a series description."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(description or "")[:_LONGEST])
    said = set(re.findall(r"[a-z]+", apart.casefold()))
    return Words(_only(_CONDITIONS, said), _only(_LEVELS, said))


def _only(known: dict, said: set[str]):
    found = [meaning for meaning, spellings in known.items() if spellings & said]
    return found[0] if len(found) == 1 else None

"""Text that strangers wrote into a file, before it is shown or kept."""

from __future__ import annotations

LONGEST = 200


def plain(text: object, longest: int = LONGEST) -> str:
    """``text`` without what cannot be printed (a terminal would obey it), cut to ``longest`` characters."""
    kept = "".join(character for character in str(text)[: 4 * longest] if character.isprintable())
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"

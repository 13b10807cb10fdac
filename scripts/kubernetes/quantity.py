"""Quantities as Kubernetes writes them: `250m` of a core, `64Mi` of memory."""

from __future__ import annotations

import re
from decimal import Decimal

QUANTITY = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d+))?")
DECIMAL = {suffix: Decimal(10) ** power for suffix, power in zip("num kMGTPE", range(-9, 21, 3), strict=True)}
BINARY = {f"{suffix}i": Decimal(2) ** (10 * power) for power, suffix in enumerate("KMGTPE", 1)}


def parse_quantity(text: str | float) -> Decimal:
    """Return a quantity as a number: of cores, bytes or things. Raises ValueError when it is none.

    >>> parse_quantity("1.5Gi")
    Decimal('1610612736.0')
    """
    match = QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is not a quantity")
    factor = Decimal(10) ** int(match["exponent"]) if match["exponent"] else (DECIMAL | BINARY)[match["suffix"] or " "]
    return Decimal(match["number"]) * factor

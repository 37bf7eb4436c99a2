"""What the benchmarks print, and what stands in docs/performance.md: the same tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Rows = Sequence[dict[str, Any]]


def table(rows: Rows) -> str:
    """Return rows as a Markdown table that can be read as it is: columns of one width, numbers to the right."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_said(row.get(head)) for head in heads] for row in rows]
    widths = [max(len(head), *(len(line[place]) for line in cells)) for place, head in enumerate(heads)]
    right = [any(isinstance(row.get(head), int | float) for row in rows) for head in heads]
    rule = [f"{'-' * (width - 1)}:" if is_right else "-" * width for width, is_right in zip(widths, right, strict=True)]
    return "\n".join(_line(line, widths, right) for line in [heads, rule, *cells])


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(cells, widths, right, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


def _said(value: Any) -> str:
    """Return a number with as many digits as mean something; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

"""Reading the policy: the files beside this one, with the organisation's own file laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DEFAULTS = Path(__file__).parent
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader in C where PyYAML has it: every command reads the policy."""


class PolicyUnreadable(ValueError):
    """A policy file cannot be read."""


def read_policy(own: Path | None = None) -> dict[str, Any]:
    """Return the policy as plain values; keys of ``own`` replace ours, mapping by mapping.

    Raises PolicyUnreadable naming the file and line.
    """
    values: dict[str, Any] = {}
    for path in sorted(DEFAULTS.glob("*.yaml")):
        values = laid_over(values, _read(path))
    return laid_over(values, _read(own)) if own else values


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  both loaders are the safe one
    except OSError as bad:
        raise PolicyUnreadable(f"The policy file {path} cannot be read: {bad.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as bad:
        line = getattr(getattr(bad, "problem_mark", None), "line", None)
        where = f", line {line + 1}" if line is not None else ""
        raise PolicyUnreadable(f"The policy file {path.name}{where} is not valid YAML.") from None
    if not isinstance(found, dict):
        raise PolicyUnreadable(f"The policy file {path.name} does not hold a mapping of settings.")
    return found


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one; where both have a value that is no mapping, the upper one counts."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged

"""A definition as YAML that people can read and go on writing."""

from __future__ import annotations

from typing import Any

import yaml

WIDTH = 110


class _Inline(dict[str, Any]):
    """A mapping written on one line."""


class _Writer(yaml.SafeDumper):
    """Writes choices, parts, rows and texts by language on a line each, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Writer.add_representer(
    _Inline, lambda writer, data: writer.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)
)


def written(definition: dict[str, Any], remark: str = "") -> str:
    """Return a definition as YAML, under a remark."""
    head = {name: value for name, value in definition.items() if name not in ("sections", "checks")}
    body = {name: value for name, value in definition.items() if name not in head}
    parts = [_dumped(each) for each in (head, body) if each]
    remarks = "".join(f"# {' '.join(line.split())}\n" for line in remark.splitlines())
    return remarks + "\n".join(parts)


def _dumped(part: dict[str, Any]) -> str:
    text: str = yaml.dump(_laid_out(part), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


def _laid_out(value: Any, within: str = "") -> Any:
    if isinstance(value, dict):
        laid = {name: _laid_out(each, name) for name, each in value.items()}
        short = all(not isinstance(each, list) for each in laid.values()) and len(str(laid)) < WIDTH
        flat = within in ("choices", "parts", "rows") or (within in ("title", "text", "label", "message") and short)
        return _Inline(laid) if flat else laid
    if isinstance(value, list | tuple):
        return [_laid_out(each, within) for each in value]
    return value

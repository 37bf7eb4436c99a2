"""A whole example of a body, put together from the examples of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BY_FORMAT = {"date-time": "2026-03-02T09:00:00Z", "date": "2026-03-02"}


def example_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    """Return an example of a schema, which may refer to the components of its document."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            told = [each for each in schema[several] if each.get("type") != "null"]
            return example_of(told[0], components)
    if "enum" in schema:
        return schema["enum"][0]
    return _plain(schema, components)


def _plain(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: example_of(inner, components) for name, inner in properties.items()}
        case "array":
            return [example_of(schema["items"], components)]
        case _:
            return _BY_FORMAT.get(schema.get("format", ""), schema.get("default"))

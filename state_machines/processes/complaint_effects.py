"""What the steps of a complaint write down and order."""

from __future__ import annotations

from typing import Any

from state_machines.clockwork import Clock

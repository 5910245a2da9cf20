"""A local Valar: what the pages use when there is no key, and what tests send to. It contacts nothing."""

from valar_ui.sandbox.app import create_app
from valar_ui.sandbox.faults import PRESETS, BadFaultPlan, Fault, FaultKind, FaultPlan

__all__ = ["PRESETS", "BadFaultPlan", "Fault", "FaultKind", "FaultPlan", "create_app"]

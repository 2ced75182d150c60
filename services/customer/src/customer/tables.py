"""Every table of the service in one metadata, for migrations; features import their own module."""

from __future__ import annotations

from customer.admission import tables as admission
from customer.archive import tables as archive
from customer.base import Base
from customer.importing import tables as importing
from customer.purchases import tables as purchases
from customer.registry import tables as registry
from customer.segmentation import tables as segmentation

__all__ = ["Base", "admission", "archive", "importing", "purchases", "registry", "segmentation"]

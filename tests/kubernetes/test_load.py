"""What is beside the sending of images: sizes as a person reads them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit



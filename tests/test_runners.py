import re
from pathlib import Path

from odoo.tests import BaseCase

TESTS = Path(__file__).parent


class TestRunners(BaseCase):
    """Odoo's own runner knows the files that ``__init__.py`` imports, pytest those that
    it finds."""

    def test_every_file_is_imported(self):
        """Whoever runs the tests runs all of them."""
        text = (TESTS / "__init__.py").read_text()
        imported = re.findall(r"^from \. import (test_\w+)$", text, re.MULTILINE)
        self.assertEqual(
            imported, sorted(path.stem for path in TESTS.glob("test_*.py"))
        )

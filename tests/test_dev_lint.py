"""The linters of `dev/test --lint`, each of which has to see what is wrong."""

import io
import shutil
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from unittest import skipUnless

from odoo.tests import BaseCase, tagged

try:
    from _env import lint, module
    from _env.paths import CHECKOUT
except ImportError:  # installed without its developer commands
    lint = None

#: For each linter: what is wrong, in which file, and what the linter calls it.
PLANTED = {
    "ruff check": ("models/unused.py", "import os\n", "F401"),
    "ruff format": ("models/quoted.py", "WORD = 'word'\n", "would be reformatted"),
    # What these two say needs the module's folder, for which they search.
    "pylint": (
        "models/absolute.py",
        "from odoo.addons.helpdesk_paid_support import hooks\n\nhooks.post_init()\n",
        "odoo-addons-relative-import",
    ),
    "oca-checks-odoo-module": ("views/unknown.xml", "<odoo />\n", "file-not-used"),
    "oca-checks-po": ("i18n/xx.po", "nonsense\n", "po-syntax-error"),
}


@tagged("post_install", "-at_install")
@skipUnless(lint, "dev/ is not there")
class TestDevLint(BaseCase):
    def test_planted_errors(self):
        """Each linter fails for what is wrong, and names it by its path in the
        checkout."""
        checkout = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, checkout)
        # Without its Python, most of which would only take time.
        kept = ("__init__.py", "__manifest__.py", ".pylintrc", ".oca_hooks.cfg")
        for path in (*module.files(), *kept):
            if not path.endswith(".py") or path in kept:
                (checkout / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CHECKOUT / path, checkout / path)
        for path, content, _rule in PLANTED.values():
            (checkout / path).parent.mkdir(exist_ok=True)
            (checkout / path).write_text(content)

        with redirect_stdout(io.StringIO()) as said:
            passed = lint.check(checkout)

        self.assertFalse(passed)
        said = said.getvalue()
        for name, (path, _content, rule) in PLANTED.items():
            with self.subTest(name):
                before, failed, _after = said.partition(f"  FAILED: {name}\n")
                self.assertTrue(failed, said)
                found = before.rpartition("  FAILED: ")[2]
                self.assertIn(rule, found)
                self.assertRegex(found, rf"(?m)(^|[ \"'`]){path}\b")

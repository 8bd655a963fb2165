"""The house shows its architecture (docs/development.md, “Layout”)."""

import ast
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from odoo.tests import TransactionCase

MODELS = Path(__file__).parents[1] / "models"

#: The chapters of the rules: each may import from those in a line above its own.
CHAPTERS = [
    {"ledger"},
    {"access", "outbox"},
    {"grants", "selling", "ticket"},
    {"subscription", "topup"},
    {"charge", "check", "overview", "reminder", "unearned"},
]
#: What every chapter may import of the folder that holds them.
COMMON = {"groups", "mails"}
#: What the ledger may know of Odoo: who customers, companies and users are, and its own
#: scheduled actions, windows and parameters.
KNOWN_TO_LEDGER = {
    "ir.actions.act_window",
    "ir.config_parameter",
    "ir.cron",
    "res.company",
    "res.lang",
    "res.partner",
    "res.users",
}
#: What the layers above it talk about, and parts of names of other chapters.
FOREIGN_NAMES = {"groups", "has_group", "http", "portal", "request", "session"}
FOREIGN_PARTS = {"charge", "invoice", "sale", "subscription", "ticket"}
#: A file that is longer has more than one subject.
LONGEST = 450


def level(chapter):
    return next(n for n, chapters in enumerate(CHAPTERS) if chapter in chapters)


class File:
    """One file of ``models/``, as it can be read without running it."""

    def __init__(self, folder, path):
        self.folder = folder
        self.path = path
        self.name = str(path.relative_to(folder))
        self.chapter = path.parent.name if path.parent != folder else ""
        self.text = path.read_text()
        self.tree = ast.parse(self.text)

    def imports(self):
        """Return the chapters, or files beside them, that this file imports."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            folder = self.path.parents[node.level - 1]
            if folder.is_relative_to(self.folder):
                at = folder.joinpath(*(node.module or "").split("."))
                parts = at.relative_to(self.folder).parts
                yield from [parts[0]] if parts else [name.name for name in node.names]

    def models(self):
        """Return the models that this file defines or extends."""
        for node in self.tree.body:
            for statement in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(statement, ast.Assign) and statement.targets[0].id in (
                    "_name",
                    "_inherit",
                ):
                    value = ast.literal_eval(statement.value)
                    yield from [value] if isinstance(value, str) else value

    def names(self):
        """Return the names in the code, and what looks like one in its texts; not in
        what only people read."""
        read = {
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        }
        for node in ast.walk(self.tree):
            value = getattr(node, "value", None)
            if isinstance(value, str) and id(node) not in read:
                found = re.findall(r"[\w.]+", value)
                yield from (name for name in found if re.search(r"\w[_.]\w", name))
            for field in ("id", "attr", "arg", "name"):
                if isinstance(getattr(node, field, None), str):
                    yield from getattr(node, field).split(".")


def faults(folder, models):
    """Return what is wrong with the layout of a folder, in words.

    :param folder: that of ``models/``, or a copy.
    :param models: the names of all models that there are.
    """
    files = [
        File(folder, path)
        for path in sorted(folder.rglob("*.py"))
        if path.name != "__init__.py"
    ]
    chapters = set().union(*CHAPTERS)
    for name in {path.parent.name for path in folder.glob("*/__init__.py")} - chapters:
        yield f"{name} is no chapter"
    own = {
        model
        for file in files
        if file.chapter == "ledger"
        for model in file.models()
        if model.startswith("helpdesk.incident.")
    }
    foreign = {name for name in models if "." in name} - own - KNOWN_TO_LEDGER
    foreign |= {name.replace(".", "_") for name in foreign} | FOREIGN_NAMES
    for file in files:
        if file.chapter:
            for source in set(file.imports()) - COMMON - {file.chapter}:
                if source not in chapters or level(source) >= level(file.chapter):
                    yield f"{file.name} imports {source}"
        elif file.path.stem in COMMON and list(file.imports()):
            yield f"{file.name} imports what imports it"
        if file.chapter == "ledger":
            for source in set(file.imports()) - {"ledger"}:
                yield f"{file.name} imports {source}"
            for name in file.names():
                if name in foreign or FOREIGN_PARTS & set(re.split(r"[_.]", name)):
                    yield f"{file.name} names {name}"
        lines = len(file.text.splitlines())
        if lines > LONGEST:
            yield f"{file.name} has {lines} lines"
        known = set(file.models())
        word = file.path.stem.split("_")[0]
        if (
            known
            and file.path.stem not in {name.replace(".", "_") for name in known}
            and not any(word in name.split(".") for name in known)
            and word != file.chapter
        ):
            yield f"{file.name} is named after none of its models"


class TestLayout(TransactionCase):
    def test_layout(self):
        """A folder for each chapter of the rules; arrows point down; the ledger can be
        read alone; a file has one subject, and its name says which."""
        self.assertEqual(list(faults(MODELS, self.env.registry.models)), [])

    def test_faults_are_found(self):
        """Each of these planted faults is found."""
        planted = (
            ("ledger/account_use", "from ..selling import res_partner", "imports"),
            ("ledger/account_use", "from ..groups import MANAGERS", "imports groups"),
            ("ledger/account_use", "from odoo.http import request", "names request"),
            ("ledger/account_time", "X = 'helpdesk.ticket'", "names helpdesk.ticket"),
            ("ledger/account_time", "X = 'FROM sale_order'", "names sale_order"),
            ("ledger/account_time", "print(X.ticket_id)", "names ticket_id"),
            ("ledger/account_time", "X.has_group('x')", "names has_group"),
            ("grants/account_topup", "from ..subscription import y", "imports"),
            ("selling/sale_order", "from ..ticket.ticket_mail import y", "imports"),
            ("selling/sale_order", "from ..res_company import y", "res_company"),
            ("subscription/sale_order", "from .. import charge", "imports charge"),
            ("mails", "from .ledger import account_use", "imports what imports it"),
            ("ticket/ticket_mail", "#\n" * LONGEST, "lines"),
            ("ticket/other", "class A:\n    _inherit = 'sale.order'", "named after"),
            ("new/__init__", "", "new is no chapter"),
        )
        models = self.env.registry.models
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "models"
            shutil.copytree(MODELS, copy)
            for name, line, fault in planted:
                path = copy / f"{name}.py"
                before = path.read_text() if path.exists() else None
                path.parent.mkdir(exist_ok=True)
                path.write_text(f"{before or ''}\n{line}\n")
                with self.subTest(file=name, fault=fault):
                    self.assertIn(fault, "; ".join(faults(copy, models)))
                if before is None:
                    path.unlink()
                else:
                    path.write_text(before)

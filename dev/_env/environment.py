"""The whole environment, made ready."""

import contextlib
import os

from . import module, postgres, source
from .console import Stop, digest, lock
from .databases import Databases
from .paths import ADDONS, CHECKOUT, COMPILED, CONFIG, DATA, DEV, MODULE, VENV
from .python import make_environment, site_packages

REQUIREMENTS = DEV / "requirements.txt"
OCA_ADDONS = DEV / "addons.txt"


@contextlib.contextmanager
def ready():
    """Make everything that is missing, and provide it for as long as it is needed."""
    with lock("environment", "preparing the environment"):
        odoo = source.find_or_unpack()
        make_environment(VENV, [REQUIREMENTS], [OCA_ADDONS])
        link_module()
    with postgres.server(_variables(odoo), VENV) as variables:
        yield Environment(odoo, variables)


class Environment:
    """Odoo with its modules.

    :param modules: the folders of modules beside Odoo's and those of `addons.txt`.
    """

    def __init__(self, odoo, variables, modules=(ADDONS,), config=CONFIG):
        self.odoo = odoo
        self.variables = {**variables, "ODOO_RC": str(config)}
        self.modules = modules
        self.config = config
        self.python = str(VENV / "bin/python")
        self.module = ADDONS / MODULE
        self.key = digest(odoo.key, OCA_ADDONS)
        self._write_config()
        self.databases = Databases(self)

    def odoo_command(self, *arguments):
        """Return Odoo's own command line, as Debian's /usr/bin/odoo has it."""
        return [self.python, str(DEV / "_env/bin/odoo"), *map(str, arguments)]

    def addons_path(self):
        return [*self.odoo.addons, site_packages(VENV) / "odoo/addons", *self.modules]

    def with_modules(self, name, *folders):
        """Return the same environment with other modules than the checkout."""
        config = CONFIG.with_name(f"odoo-{name}.conf")
        return Environment(self.odoo, self.variables, folders, config)

    def _write_config(self):
        options = {
            "addons_path": ",".join(map(str, self.addons_path())),
            "data_dir": DATA,
            "http_interface": "127.0.0.1",
        }
        # The rest of what PG… variables say, PostgreSQL's own library reads itself.
        for option, name in (
            ("db_host", "PGHOST"),
            ("db_port", "PGPORT"),
            ("db_user", "PGUSER"),
        ):
            if self.variables.get(name):
                options[option] = self.variables[name]
        lines = [f"{option} = {value}\n" for option, value in options.items()]
        text = "[options]\n" + "".join(lines)
        if not (self.config.is_file() and self.config.read_text() == text):
            new = self.config.with_suffix(".new")
            new.write_text(text)
            new.replace(self.config)


def _variables(odoo):
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONHOME", "ODOO_RC", "OPENERP_SERVER")
    }
    variables["PATH"] = f"{VENV / 'bin'}{os.pathsep}{variables.get('PATH', os.defpath)}"
    variables["PYTHONPATH"] = str(odoo.home)
    variables["PYTHONUNBUFFERED"] = "1"
    # Each process would compile all of Odoo anew where this is switched off, as in
    # containers: some seconds for each server and each worker of the tests.
    variables["PYTHONDONTWRITEBYTECODE"] = ""
    variables["PYTHONPYCACHEPREFIX"] = str(COMPILED)
    return variables


def link_module():
    """Give the checkout the module's name, whatever its own is, and put the add-ons of
    `glue/` beside it.

    :return: the module's folder
    """
    ADDONS.mkdir(parents=True, exist_ok=True)
    DATA.mkdir(exist_ok=True)
    folders = {MODULE: CHECKOUT, **{path.name: path for path in module.glue()}}
    for link in ADDONS.iterdir():
        # Of a branch that has other add-ons.
        if link.is_symlink() and link.name not in folders:
            link.unlink()
    for name, folder in folders.items():
        _link(ADDONS / name, folder)
    return ADDONS / MODULE


def _link(link, folder):
    target = os.path.relpath(folder, ADDONS)
    if not (link.is_symlink() and os.readlink(link) == target):
        if link.exists() and not link.is_symlink():
            raise Stop(f"{link} is in the way: remove it.")
        link.unlink(missing_ok=True)
        link.symlink_to(target)

"""`dev/translations`: the terms of the module, and their translations."""

import argparse
import tempfile
from pathlib import Path

from .. import module
from ..console import output, run, say, step
from ..environment import ready
from ..paths import CHECKOUT, MODULE

I18N = CHECKOUT / "i18n"
TEMPLATE = I18N / f"{MODULE}.pot"

#: Run by the environment's Python, which has polib. What a term was called before is
#: kept as a comment of the new one ("fuzzy"), which Odoo does not load.
MERGE = """
import sys
import polib

template = polib.pofile(sys.argv[1])
# The day would change with each call.
for name in ("POT-Creation-Date", "PO-Revision-Date"):
    template.metadata.pop(name, None)
template.metadata["Project-Id-Version"] = "Odoo Server 19.0"
template.save(sys.argv[2])
for path in sys.argv[3:]:
    translation = polib.pofile(path)
    translation.merge(template)
    for entry in list(translation.obsolete_entries()):
        translation.remove(entry)
    for entry in translation:
        if entry.msgstr == entry.msgid:
            entry.msgstr = ""  # as the OCA has it
    missing = len(translation.untranslated_entries() + translation.fuzzy_entries())
    translation.sort(key=lambda entry: entry.msgid)
    translation.save(path)
    print(
        f"  {path.rsplit('/', 1)[-1]}: {missing} of {len(translation)} to translate,"
        " or the same as in English"
    )
"""


def main(arguments):
    argparse.ArgumentParser(
        prog="dev/translations",
        description="Write i18n/*.pot anew, merge it into each i18n/*.po, and say how"
        " many terms are left to translate.",
    ).parse_args(arguments)
    with ready() as environment, tempfile.TemporaryDirectory() as folder:
        new = Path(folder, "new.pot")
        with step("Collecting the terms …"):
            _export(environment, Path(folder), new)
        I18N.mkdir(exist_ok=True)
        files = [new, TEMPLATE, *sorted(I18N.glob("*.po"))]
        say(output([environment.python, "-c", MERGE, *map(str, files)]).rstrip())
    return 0


def _export(environment, folder, target):
    """Export the terms from a copy of the module: in the checkout, Odoo would follow
    the link to the checkout for ever."""
    database = environment.databases.test()
    copy = folder / "addons" / MODULE
    module.copy(copy)
    addons = [*environment.addons_path()[:-1], copy.parent]
    run(
        environment.odoo_command(
            f"--addons-path={','.join(map(str, addons))}",
            *["i18n", "export", MODULE, "--database", database],
            *["--output", target, "--languages", "pot"],
        ),
        log="translations",
        failure="The terms could not be exported",
        env=environment.variables,
    )

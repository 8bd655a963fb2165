"""`dev/odoo`: Odoo's own command line."""

from ..console import foreground
from ..environment import ready


def main(arguments):
    with ready() as environment:
        return foreground(
            environment.odoo_command(*arguments), env=environment.variables
        )

"""Where things live."""

from pathlib import Path

MODULE = "helpdesk_paid_support"

CHECKOUT = Path(__file__).resolve().parents[2]
DEV = CHECKOUT / "dev"

# Everything that is made, and nothing else: removing it starts anew.
MADE = CHECKOUT / ".dev"
LOGS = MADE / "log"
VENV = MADE / "venv"
ADDONS = MADE / "addons"
DATA = MADE / "data"
COMPILED = MADE / "compiled"
CONFIG = MADE / "odoo.conf"

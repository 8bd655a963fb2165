"""Runs a campaign in Odoo's environment, on a database with the module: `dev/stress`
makes both."""

import argparse
import sys

from odoo.tools import config

from .crashes import Crashes
from .races import Races


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("campaign")
    parser.add_argument("--database", required=True)
    parser.add_argument("--number", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--actions", type=int)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    config.parse_config(["--database", options.database, "--log-level=critical"])
    campaign = {"races": Races, "crashes": Crashes}[options.campaign](options)
    try:
        return campaign.run()
    finally:
        campaign.close()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)

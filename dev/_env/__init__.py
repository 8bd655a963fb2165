"""The developer environment: Odoo 19, its add-ons and PostgreSQL, all in `.dev/`.

Only the standard library, because it runs before anything is installed. This file
must parse in any Python 3, so that an unsuitable one gets a sentence and not a
syntax error.
"""

import sys

OLDEST, NEWEST = (3, 10), (3, 13)

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        "Sorry: Odoo 19 runs on Python 3.%d to 3.%d and this is %d.%d: put a suitable "
        "python3 first on PATH, or name it, as in `python3.12 %s`."
        % (OLDEST[1], NEWEST[1], sys.version_info[0], sys.version_info[1], sys.argv[0])
    )

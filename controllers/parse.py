"""Numbers, dates and words from requests: nothing in them can be trusted."""

import re
from datetime import date

#: What a search takes at most.
MAX_WORDS = 100


def whole_number(text, limit=2**31 - 1):
    """Return the whole number that a request names, from 0 to ``limit``.

    :rtype: int | None
    """
    text = str(text or "").strip()
    # int() refuses what is very long, and no number within the limit is.
    if not text.isdecimal() or len(text) > len(str(limit)):
        return None
    number = int(text)
    return number if number <= limit else None


def day(text):
    """Return the day that a request names, written as browsers do: 2027-05-31.

    :rtype: date | None
    """
    text = str(text or "").strip()
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def words(text):
    """Return what a request searches for, without what no database takes.

    :rtype: str
    """
    return str(text or "").replace("\x00", "").strip()[:MAX_WORDS]

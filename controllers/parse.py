"""Numbers, dates and words from requests: nothing in them can be trusted."""

import re
from datetime import date, datetime

#: What no database takes, and no page can show: what is no character of XML.
NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The longest text that is searched for.
MAX_WORDS = 100
#: The highest page number that is looked for; beyond the last page, the last one is
#: shown.
MAX_PAGE = 10**30


def whole_number(text, limit=2**31 - 1):
    """Return the whole number that a request names, from 0 to ``limit``.

    :rtype: int | None
    """
    text = str(text or "").strip()
    # int() refuses very long texts, and numbers within the limit are short.
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


def moment(text):
    """Return the day, or the second, that a request names: 2027-05-31 09:30:00.

    :rtype: datetime | None
    """
    text = str(text or "").strip()
    if not re.fullmatch("[0-9]{4}(-[0-9]{2}){2}( [0-9]{2}(:[0-9]{2}){2})?", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def words(text):
    """Return what a request searches for, without ``NO_TEXT``.

    :rtype: str
    """
    return typed(text).strip()[:MAX_WORDS]


def typed(text):
    """Return the text of a request, without ``NO_TEXT``; nothing of a file that was
    sent in its place.

    :rtype: str
    """
    return NO_TEXT.sub("", text) if isinstance(text, str) else ""

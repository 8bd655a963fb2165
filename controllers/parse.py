"""Numbers from requests: nothing in them can be trusted."""


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

"""Field types of the module, and values of fields that several chapters know."""

import re

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import formatLang

#: The states in which a payment is effective (R1).
EFFECTIVE = ("in_process", "paid")
#: The largest number of incidents that an account may be given. It keeps every sum
#: within a 32-bit column.
MAX_INCIDENTS = 1_000_000_000
#: What such a column can hold.
MAX_COLUMN = 2**31 - 1
#: So many days before something it can be reminded of: ten years.
MAX_DAYS = 3650


class WholeNumber(fields.Integer):
    """An integer that refuses what is not a whole number (R1).

    :class:`odoo.fields.Integer` cuts 1.5 to 1 without a word and answers "abc" with a
    traceback. Incidents are money: bad input gets a clear error and loses nothing.
    """

    def convert_to_cache(self, value, record, validate=True):
        """Return ``value`` as an integer.

        :raise UserError: if ``value`` is no whole number, or no column could hold it.
        """
        if validate and value not in (None, False, ""):
            value = self._parse(value, record)
        return super().convert_to_cache(value, record, validate)

    def _parse(self, value, record):
        try:
            number = int(value)
            whole = number == float(value)
        except (TypeError, ValueError, OverflowError):
            whole = False
        if not whole:
            raise UserError(
                record.env._(
                    "%(field)s must be a whole number; “%(value)s” is not.",
                    field=self._description_string(record.env),
                    value=str(value)[:40],
                )
            )
        if abs(number) > MAX_COLUMN:
            raise UserError(
                record.env._(
                    "%(field)s can be at most %(limit)s.",
                    field=self._description_string(record.env),
                    limit=formatLang(record.env, MAX_INCIDENTS, digits=0),
                )
            )
        return number


class DayList(fields.Char):
    """A list of numbers of days (R15.4), kept as "14, 3": each once, the largest first.

    Commas, semicolons and spaces separate them. 0 alone is an empty list.
    """

    def convert_to_cache(self, value, record, validate=True):
        """Return ``value`` as the list is kept.

        :raise UserError: if ``value`` is no such list.
        """
        if validate and value is not None and value is not False:
            value = self._parse(str(value), record)
        return super().convert_to_cache(value, record, validate)

    def _parse(self, value, record):
        words = [word for word in re.split(r"[,;\s]+", value) if word]
        if words in ([], ["0"]):
            return None
        if not all(re.fullmatch("[0-9]{1,4}", word) for word in words) or not all(
            1 <= int(word) <= MAX_DAYS for word in words
        ):
            raise UserError(
                record.env._(
                    "%(field)s must be numbers of days from 1 to %(limit)s, with "
                    "commas between them, such as “14, 3”; “%(value)s” is no such "
                    "list.",
                    field=self._description_string(record.env),
                    limit=MAX_DAYS,
                    value=value[:40],
                )
            )
        return ", ".join(map(str, sorted(set(map(int, words)), reverse=True)))

    @staticmethod
    def numbers(value):
        """Return the numbers of a list as it is kept, the largest first.

        :rtype: list[int]
        """
        return [int(word) for word in value.split(", ")] if value else []

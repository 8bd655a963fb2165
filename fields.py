"""Field types of the module, and values of fields that several chapters know."""

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

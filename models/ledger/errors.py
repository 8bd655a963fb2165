"""What the ledger refuses, with the numbers: nobody has to read a sentence."""

from odoo.exceptions import UserError


class NotEnoughIncidents(UserError):
    """A document takes more incidents than are available (R4.3).

    Over RPC the numbers are in the ``context`` of the error.
    """

    def __init__(self, message, needed, available):
        """
        :param str message: what is said to who has asked for it.
        :param int needed: incidents that the document takes.
        :param int available: incidents that its customer can use today.
        """
        super().__init__(message)
        self.needed, self.available = needed, available
        self.context = {
            "needed": needed,
            "available": available,
            # The web client shows it like any other refusal.
            "exception_class": "odoo.exceptions.UserError",
        }

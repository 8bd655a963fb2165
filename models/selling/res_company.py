from odoo import models
from odoo.exceptions import UserError


class BooksClosed(UserError):
    """A lock date forbids to post today.

    :ivar locks: the names of the lock dates, and the dates.
    """

    def __init__(self, message, locks):
        super().__init__(message)
        self.locks = locks


class ResCompany(models.Model):
    _inherit = "res.company"

    def _incident_check_books(self, taxes):
        """Check that the books are open today for invoices and credit notes: Odoo
        itself would post on a later day without a word.

        :param taxes: the ``account.tax`` records of the document.
        :raise BooksClosed: if they are not.
        """
        today = self._incident_today()
        journals = self.env["account.journal"]
        journal = journals.search(
            [*journals._check_company_domain(self), ("type", "=", "sale")], limit=1
        )
        locks = self._get_violated_lock_dates(today, bool(taxes), journal)
        if not locks:
            return
        words = self._format_lock_dates(locks)
        if any(field == "hard_lock_date" for _date, field in locks):
            raise BooksClosed(
                self.env._(
                    "The books of %(company)s are closed for good for today: "
                    "%(locks)s. Nobody can lift that: try again after that day.",
                    company=self.display_name,
                    locks=words,
                ),
                words,
            )
        raise BooksClosed(
            self.env._(
                "The books of %(company)s are closed for today: %(locks)s. Ask an "
                "accountant to lift the lock date, or to make an exception for you.",
                company=self.display_name,
                locks=words,
            ),
            words,
        )

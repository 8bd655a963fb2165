"""What the ledger asks a company for: its day (R3.7), and about late returns (R5.3)."""

from datetime import date
from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL


class AsOf(NamedTuple):
    """In the context, as ``incident_as_of``: the day that is today, so that a history
    can be made as of its days, as that of the demo data is. It cannot come in over RPC,
    where a tuple is a list."""

    day: date


class ResCompany(models.Model):
    _inherit = "res.company"

    # R5.3
    incident_expired_return = fields.Selection(
        selection=[
            ("lapse", "lapse"),
            ("lifetime", "come back as lifetime incidents"),
        ],
        string="Incidents returned after their period",
        default="lapse",
        required=True,
    )

    @api.model
    def _incident_companies(self):
        """Return the companies that have accounts, with superuser rights: there are few
        of them, and each has its own today (R3.7). Branches have those of their root
        company (R2.3)."""
        return self.sudo().search(Domain("parent_id", "=", False))

    @tools.ormcache("self.id")
    def _incident_root_id(self):
        """Return the id of the company that has the accounts of this one: a company and
        its branches are one legal entity (R2.3). Odoo lets nobody change that."""
        return self.sudo().root_id.id

    def _incident_entity(self):
        """Return the ids of the companies that are one legal entity with this one
        (R2.3), itself included, as SQL: an array, so that the query is planned without
        another table.
        """
        return SQL(
            """
            ARRAY(SELECT id FROM res_company
                   WHERE split_part(parent_path, '/', 1) = %s)
            """,
            str(self._incident_root_id()),
            to_flush=self._fields["parent_path"],
        )

    def _incident_is_one_with(self, company):
        """Return whether both are one legal entity (R2.3)."""
        return self._incident_root_id() == company._incident_root_id()

    def _incident_today(self):
        """Return the current day in the time zone of the company, for a branch that of
        its root company (R2.3, R3.7): that of its partner, UTC where unset.

        :rtype: datetime.date
        """
        self.ensure_one()
        as_of = self.env.context.get("incident_as_of")
        return as_of.day if isinstance(as_of, AsOf) else self._incident_day()

    def _incident_day(self, moment=None):
        """Return the day of a moment in the time zone of the company (R3.7).

        :param datetime moment: in UTC; now by default.
        :rtype: datetime.date
        """
        self.ensure_one()
        company = self.with_context(tz=self._incident_tz())
        return fields.Date.context_today(company, moment)

    @tools.ormcache("self.id")
    def _incident_tz(self):
        """Return the name of the company's time zone. Every verb asks for it. The cache
        is cleared when the time zone is written (``res.partner``), or when the company
        gets another partner.

        :rtype: str
        """
        return self.sudo().root_id.partner_id.tz or "UTC"

    @api.private
    def cache_invalidation_fields(self):
        """Override for the time zone of the partner."""
        return super().cache_invalidation_fields() | {"partner_id"}

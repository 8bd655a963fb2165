from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...fields import WholeNumber


class HelpdeskIncidentConsumer(models.AbstractModel):
    """A document that takes incidents (R4, R5).

    It says whose they are (:meth:`_incident_holder`), how many it takes
    (:meth:`_incident_required`), and what the customer's statement calls it
    (:meth:`_incident_label`). When to take them, and what becomes of it if there are
    too few, is its own affair.
    """

    _name = "helpdesk.incident.consumer"
    _description = "Document That Takes Support Incidents"

    #: The stored fields that say whose incidents it takes: any contact of the customer,
    #: and the company. Lists of documents find them by these, too.
    _incident_holder_fields = ("partner_id", "company_id")
    #: How the keys of its entries begin, for ever; as the model is called, if unset.
    _incident_word = None

    incident_count = WholeNumber(
        string="Support incidents",
        compute="_compute_incident_count",
        inverse="_inverse_incident_count",
        search="_search_incident_count",
        copy=False,
        help="Incidents deducted for this document, less those returned. Raise it to "
        "deduct more, lower it to return them.",
    )

    # ------------------------------------------------------------------
    # Compute, inverse and search
    # ------------------------------------------------------------------

    def _compute_incident_count(self):
        counts = self._incident_counts()
        for document in self:
            document.incident_count = counts.get(document._origin.id, 0)

    def _inverse_incident_count(self):
        """R4.5"""
        self._incident_lock_ahead()
        targets = {document: document.incident_count for document in self}
        for document, target in targets.items():
            document._incident_set(target)

    def _search_incident_count(self, operator, value):
        # A search tells as much as the field: only to those who may read it (R11.6).
        self._check_field_access(self._fields["incident_count"], "read")
        if operator not in ("in", "not in", "<", ">", "<=", ">="):
            return NotImplemented

        def to_sql(model, alias, query):
            net = SQL(
                """COALESCE((SELECT -SUM(quantity) FROM helpdesk_incident_entry
                    WHERE cause_key = %s || %s AND effect = 'uses'), 0)""",
                self._incident_key(""),
                SQL.identifier(alias, "id"),
            )
            number = tuple(map(int, value)) if "in" in operator else int(value)
            return SQL("%s %s %s", net, SQL(operator.upper()), number)

        return Domain.custom(to_sql=to_sql)

    # ------------------------------------------------------------------
    # What the document says
    # ------------------------------------------------------------------

    def _incident_required(self):
        """Return how many incidents this document takes (R4.4), 0 for none. Whatever
        wants to know asks here, also of a document that is being typed in (R16.2).

        :rtype: int
        """
        raise NotImplementedError

    def _incident_holder(self):
        """Return whose incidents this document takes: the customer and the company."""
        self.ensure_one()
        contact, company = self._incident_holder_fields
        return self[contact].commercial_partner_id, self[company]

    def _incident_label(self):
        """Return what the customer's statement calls this document (R3.8), in the
        language of the context."""
        self.ensure_one()
        return self.display_name

    @api.model
    def _incident_key(self, document_id):
        """Return the key by which the entries of a document are found."""
        return f"{self._incident_word or self._name}:{document_id}"

    def _incident_entry_values(self):
        """Return what the entries of this document have in common. An override fills
        the columns that it has added to them (``_line_columns``)."""
        self.ensure_one()
        return {"cause_key": self._incident_key(self.id)}

    def _incident_keeps_ended(self):
        """Return whether what this document gives back to a period that has ended comes
        back as lifetime incidents (R5.3): by default, as its company says.

        :rtype: bool
        """
        _customer, company = self.sudo()._incident_holder()
        return company.incident_expired_return == "lifetime"

    def _incident_log(self, body):
        """Say in the history of this document what has happened (R4.6).

        :param body: plain text, or ``Markup`` that can be trusted.
        """
        if hasattr(self, "_message_log"):
            self._message_log(body=body)

    # ------------------------------------------------------------------
    # What it holds
    # ------------------------------------------------------------------

    def _incident_counts(self):
        """Return the net number of incidents of each of these documents, by id.

        :rtype: dict[int, int]
        """
        ids = {self._incident_key(document_id): document_id for document_id in self.ids}
        return {
            ids[key]: -quantity
            for key, quantity in self._incident_taken(ids, ["cause_key"])
        }

    def _incident_held(self):
        """Return how many incidents of which account this document holds.

        They are of its customer, but the contact can have moved to another customer or
        been deleted since.

        :return: the accounts, that of the last entry first.
        :rtype: dict[recordset, int]
        """
        self.ensure_one()
        rows = self._incident_taken(
            [self._incident_key(self.id)],
            ["account_id"],
            having=[("quantity:sum", "<", 0)],
            order="id:max desc",
        )
        return {account: -quantity for account, quantity in rows}

    @api.model
    def _incident_taken(self, keys, groupby, **options):
        """Return what was taken under these keys, less what was returned, in groups."""
        domain = Domain("cause_key", "in", list(keys)) & Domain("effect", "=", "uses")
        entries = self.env["helpdesk.incident.entry"].sudo()
        return entries._read_group(domain, groupby, ["quantity:sum"], **options)

    def _incident_account(self, create=False):
        """Return the account whose incidents this document takes (R2.1, R2.3)."""
        self.ensure_one()
        partner, company = self.sudo()._incident_holder()
        return self.env["helpdesk.incident.account"]._of(partner, company, create)

    # ------------------------------------------------------------------
    # Taking and returning
    # ------------------------------------------------------------------

    def _incident_lock_ahead(self):
        """Lock the accounts of these documents, all in one order, before rows of the
        documents are written: see ``_lock_ahead`` of the account."""
        account_model = self.env["helpdesk.incident.account"]
        account_model._lock_ahead({account_model._holder_of(d) for d in self})

    def _incident_set(self, target):
        """Deduct or return so that the document holds ``target`` incidents (R4.5).

        :param int target: incidents, zero or more.
        :raise UserError: if ``target`` is below zero, or there is no customer to take
            more from.
        :raise NotEnoughIncidents: if fewer are available.
        """
        self.ensure_one()
        if target < 0:
            raise UserError(
                self.env._(
                    "Nothing can hold fewer than 0 support incidents. To give "
                    "incidents to the customer, use “Adjust incidents”."
                )
            )
        held = self._incident_held()
        accounts = self.env["helpdesk.incident.account"].sudo().union(*held)
        if not target and not accounts:
            return
        own = self._incident_account(create=bool(target))
        (own | accounts)._lock()
        # What a concurrent request has done to them shows from here on.
        held = self._incident_held()
        difference = target - sum(held.values())
        if difference > 0:
            self._incident_deduct(difference)
        for account, number in held.items():
            returned = min(-difference, number)
            if returned > 0:
                difference += returned
                legs = account._return(self, returned)
                self._incident_log_return(account, returned, legs)

    def _incident_return_all(self):
        """Return all incidents of these documents."""
        counts = self._incident_counts()
        documents = self.filtered(lambda document: counts.get(document.id))
        documents._incident_lock_ahead()
        for document in documents:
            document._incident_set(0)

    def _incident_deduct(self, quantity, is_new=False):
        """Deduct incidents and say so in the history (R4.6).

        :param int quantity: incidents, above zero.
        :param bool is_new: this document has taken nothing before.
        :raise UserError: if there is no customer.
        :raise NotEnoughIncidents: if fewer are available.
        """
        account_model = self.env["helpdesk.incident.account"]
        deducted = account_model._deduct(self, quantity, is_new)
        self._incident_log(
            self.env._(
                "Support incidents deducted: %(quantity)s (%(allotments)s). "
                "The customer has %(left)s left.",
                quantity=quantity,
                allotments=account_model._legs_text(deducted.legs),
                left=deducted.left,
            )
        )

    def _incident_log_return(self, account, quantity, legs):
        """R4.6, R5.3"""
        body = self.env._(
            "Support incidents returned: %(quantity)s (%(allotments)s). "
            "The customer has %(left)s left.",
            quantity=quantity,
            allotments=account.with_env(self.env)._legs_text(
                [(leg.allotment, leg.quantity) for leg in legs]
            ),
            left=account.available,
        )
        notes = self.env["helpdesk.incident.account"]._became_words(
            lapsed=sum(leg.lapsed for leg in legs),
            kept=sum(leg.kept for leg in legs),
            revoked=sum(leg.revoked for leg in legs),
        )
        self._incident_log(Markup("<br>").join([body, *notes]))

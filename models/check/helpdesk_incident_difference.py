from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_datetime

#: How many orders, and subscriptions, the scheduled action recomputes each day at most:
#: about a minute of work. Where there are more, each day takes others.
DOCUMENTS = 4000
#: How many differences a message names.
NAMED = 10


class HelpdeskIncidentDifference(models.Model):
    """A number that the last ledger check has found to be wrong (R13.4).

    The list has what the last check has found; each check removes what is correct
    again.
    """

    _name = "helpdesk.incident.difference"
    _description = "Difference in the Ledger"
    _order = "id"

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Empty for an order that has given nothing, and for release entries.",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        comodel_name="res.company", readonly=True, ondelete="cascade"
    )
    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document", model_field="res_model", readonly=True
    )
    name = fields.Char(string="Document Name", readonly=True)
    number = fields.Char(
        string="Technical name", required=True, readonly=True, help="Model and field."
    )
    label = fields.Char(string="Number", compute="_compute_label")
    stored = fields.Char(string="Is", readonly=True)
    expected = fields.Char(
        string="Should be", readonly=True, help="As it follows from the other numbers."
    )
    amount = fields.Float(
        string="Difference",
        digits=0,
        readonly=True,
        help="Above zero where too much is stored.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("number")
    @api.depends_context("lang")
    def _compute_label(self):
        """The model and the field in words."""
        for difference in self:
            model_name, _dot, name = difference.number.rpartition(".")
            model = self.env["ir.model"]._get(model_name)
            field = model_name in self.env and self.env[model_name]._fields.get(name)
            difference.label = (
                f"{model.sudo().name}: {field._description_string(self.env)}"
                if field
                else difference.number
            )

    @api.depends(*("label", "name", "partner_id", "company_id", "stored", "expected"))
    @api.depends_context("lang")
    def _compute_display_name(self):
        for difference in self:
            difference.display_name = self.env._(
                "%(customer)s, %(document)s: %(number)s is %(stored)s, "
                "should be %(expected)s",
                customer=(
                    difference.sudo().partner_id or difference.sudo().company_id
                ).display_name,
                document=difference.name,
                number=difference.label,
                stored=difference.stored or "–",
                expected=difference.expected or "–",
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_check(self):
        """Let the ledger be checked now, by the scheduled action.

        :raise AccessError: if the user is no helpdesk manager.
        """
        self.env["helpdesk.incident.account"]._check_manager()
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_check").sudo()
        cron._trigger()
        last = format_datetime(self.env, cron.lastcall) if cron.lastcall else "–"
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "The ledger will be checked in a moment. What differs is listed "
                    "here then, and you are told. Last check: %(last)s.",
                    last=last,
                ),
            },
        }

    def action_open_account(self):
        """Open the account that the number belongs to."""
        self.ensure_one()
        self.check_access("read")
        return self.account_id._get_records_action(context={})

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _cron_check(self, documents=DOCUMENTS):
        """Check the ledger, and tell the managers what differs (R13.4).

        :param int documents: see ``helpdesk.incident.account._check_ledger``.
        """
        found = self.env["helpdesk.incident.account"]._check_ledger(documents)
        self._list(found)._notify()

    @api.model
    def _list(self, found):
        """List exactly what the check has found.

        :param list[Difference] found:
        :return: what was not listed before.
        """
        listed = {difference._key(): difference for difference in self.search([])}
        found = {(d.account.id, d.record._name, d.record.id, *d[2:]): d for d in found}
        self.union(*(d for key, d in listed.items() if key not in found)).unlink()
        return self.create(
            [self._values(d) for key, d in found.items() if key not in listed]
        )

    def _key(self):
        return (
            self.account_id.id,
            self.res_model,
            self.res_id,
            self.number,
            self.stored or None,
            self.expected or None,
        )

    @api.model
    def _values(self, difference):
        record, account = difference.record.sudo(), difference.account.sudo()
        # The document itself may be missing.
        found = record.exists()
        order = found.order_id if found._name == "sale.order.line" else found
        holder = account or order
        return {
            "account_id": account.id,
            # Release entries are the company's own.
            "partner_id": "partner_id" in holder and holder.partner_id.id,
            "company_id": holder.company_id.id,
            "res_model": record._name,
            "res_id": record.id,
            "name": found.display_name or f"{record._name},{record.id}",
            "number": difference.number,
            "stored": difference.stored,
            "expected": difference.expected,
            "amount": difference.amount,
        }

    def _notify(self):
        """Tell the helpdesk managers of these differences, once. Each manager is told
        of the companies that he works in, and of the root company of a branch."""
        group = self.env.ref("helpdesk_mgmt.group_helpdesk_manager")
        users = self.env["res.users"].sudo()
        for manager in users.search([("all_group_ids", "in", group.ids)]):
            differences = self.filtered(
                lambda difference, user=manager: user._incident_of(
                    difference.company_id
                )
            )
            if differences:
                differences.with_context(lang=manager.lang)._notify_one(manager)

    def _notify_one(self, manager):
        lines = Markup("").join(
            Markup("<li>%s</li>") % difference.display_name
            for difference in self[:NAMED]
        )
        self.env["mail.thread"].sudo().message_notify(
            partner_ids=manager.partner_id.ids,
            subject=self.env._(
                "Support incidents: the ledger check has found differences"
            ),
            body=Markup('<p>%s</p><ul>%s</ul><p><a href="%s">%s</a></p>')
            % (
                self.env._(
                    "%(number)s numbers are not what they should be. Nothing was "
                    "changed.",
                    number=len(self),
                ),
                lines,
                f"{manager.company_id.get_base_url()}/odoo/support-ledger-check",
                self.env._("Show all of them"),
            ),
        )

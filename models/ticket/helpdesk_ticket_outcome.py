"""What became of paid tickets, and whether they are charged then (R17.1, R17.2)."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class HelpdeskTicketOutcome(models.Model):
    """Whether it is charged is fixed once a ticket has it: what those tickets take has
    been written."""

    _name = "helpdesk.ticket.outcome"
    _description = "Outcome of a Ticket"
    _order = "sequence, id"
    # A branch has those of its root company, too (R2.3).
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    charged = fields.Boolean(
        help="Tickets with this outcome take incidents as any other. Otherwise they "
        "take none: what was deducted is returned, and what waits for incidents waits "
        "no more.",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        default=lambda self: self.env.company,
        help="Whose tickets can have it, with its branches; those of all companies, if "
        "empty.",
    )

    def _incident_suits(self, company):
        """Return whether tickets of a company can have this outcome (R2.3).

        :rtype: bool
        """
        return bool(self.filtered_domain(self._check_company_domain(company)))

    def _incident_tickets(self):
        """Return where tickets with these outcomes are searched, archived ones
        included, and by which domain."""
        tickets = self.env["helpdesk.ticket"].sudo().with_context(active_test=False)
        return tickets, Domain("incident_outcome_id", "in", self.ids)

    def write(self, vals):
        """Override: see the class."""
        changed = self.browse()
        if "charged" in vals:
            changed = self.filtered(lambda o: o.charged != bool(vals["charged"]))
        tickets, having_them = changed._incident_tickets()
        if changed and tickets.search_count(having_them, limit=1):
            raise UserError(
                self.env._(
                    "Tickets have the outcome “%(outcome)s” already, so it stays as it "
                    "is whether they are charged. Archive it, and make another one.",
                    outcome=changed[0].name,
                )
            )
        return super().write(vals)

    @api.constrains("company_id")
    def _check_incident_company(self):
        """R2.3: tickets have outcomes of their own company."""
        for outcome in self:
            tickets, having_it = outcome._incident_tickets()
            for (company,) in tickets._read_group(having_it, ["company_id"]):
                if not outcome._incident_suits(company):
                    raise ValidationError(
                        self.env._(
                            "Tickets of %(company)s have the outcome “%(outcome)s”, so "
                            "it stays theirs.",
                            company=company.name,
                            outcome=outcome.name,
                        )
                    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        """What tickets have, and the ledger names, stays (R3.1)."""
        entries = self.env["helpdesk.incident.entry"].sudo()
        for outcome in self:
            tickets, having_it = outcome._incident_tickets()
            if tickets.search_count(having_it, limit=1) or entries.search_count(
                Domain("outcome_id", "=", outcome.id), limit=1
            ):
                raise UserError(
                    self.env._(
                        "Tickets or entries name the outcome “%(outcome)s”. Archive it "
                        "instead.",
                        outcome=outcome.name,
                    )
                )


class HelpdeskTicketStage(models.Model):
    _inherit = "helpdesk.ticket.stage"

    incident_outcome_id = fields.Many2one(
        comodel_name="helpdesk.ticket.outcome",
        string="Outcome",
        domain=[("charged", "=", False)],
        ondelete="restrict",
        help="Tickets of its company that come to this stage get this outcome, by "
        "which they take no support incidents, unless they have such an outcome "
        "already.",
    )

    @api.constrains("incident_outcome_id")
    def _check_incident_outcome(self):
        """R17.2: none that is charged, which would clear one that is not."""
        for outcome in self.incident_outcome_id:
            if outcome.charged:
                raise UserError(
                    self.env._(
                        "Stages bring only outcomes that are not charged; "
                        "“%(outcome)s” is charged.",
                        outcome=outcome.name,
                    )
                )

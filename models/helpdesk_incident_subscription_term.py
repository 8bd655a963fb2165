from odoo import fields, models

from .. import periods


class HelpdeskIncidentSubscriptionTerm(models.Model):
    """What one order line adds to a subscription (R9): incidents in a row of periods.

    It comes into being when its line is paid for the first time, and keeps its days
    for ever: paid again, it gives the same periods (R3.4, R8.4).
    """

    _name = "helpdesk.incident.subscription.term"
    _description = "Term of a Support Subscription"
    _order = "date_from, id"

    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="subscription_id.company_id")
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Order Line",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    kind = fields.Selection(
        selection=[
            ("term", "Term"),
            ("extra", "Extra Incidents"),
            ("change", "Change"),
        ],
        required=True,
        readonly=True,
        default="term",
    )
    anchor = fields.Date(
        required=True,
        readonly=True,
        help="The day from which the periods are counted (R9.1).",
    )
    date_from = fields.Date(string="First Day", required=True, readonly=True)
    date_to = fields.Date(string="Last Day", required=True, readonly=True)
    months = fields.Integer(required=True, readonly=True)
    incidents_per_period = fields.Integer(
        string="Incidents per month", required=True, readonly=True
    )

    _sale_line_uniq = models.UniqueIndex(
        "(sale_line_id)", "An order line has one term."
    )
    _window_check = models.Constraint(
        f"""CHECK (anchor <= date_from AND date_from <= date_to
              AND months BETWEEN 1 AND {periods.MAX_MONTHS}
              AND incidents_per_period >= 1)""",
        "A term has whole months, and 1 incident or more in each.",
    )

    def _periods(self):
        """Return the first and last days of the periods of this term (R9.1).

        :rtype: list[tuple[date, date]]
        """
        self.ensure_one()
        first = periods.number_at(self.anchor, self.date_from)
        return [
            periods.period(self.anchor, number)
            for number in range(first, first + self.months)
        ]

    def _period_numbers(self, due):
        """Return how many incidents the line has paid for in each period: of what it
        should have given in all, the last periods give way first (R8.4).

        :param dict due: how many incidents order lines should have given, as far as
            that is known already.
        :rtype: dict[tuple[date, date], int]
        """
        self.ensure_one()
        line = self.sale_line_id
        left = due[line] if line in due else line._incident_due()
        numbers = {}
        for period in self._periods():
            numbers[period] = min(left, self.incidents_per_period)
            left -= numbers[period]
        return numbers

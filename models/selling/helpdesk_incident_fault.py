from odoo import fields, models


class HelpdeskIncidentFault(models.Model):
    _inherit = "helpdesk.incident.fault"

    costs_nothing = fields.Boolean(
        compute="_compute_costs_nothing",
        help="It waits for a helpdesk manager to confirm that.",
    )

    came_too_late = fields.Boolean(
        string="Paid too late",
        compute="_compute_came_too_late",
        help="Incidents that expire were paid after their last day.",
    )

    def _compute_came_too_late(self):
        for fault in self:
            fault.came_too_late = bool(fault._missed_lines())

    def action_leave_lapsed(self):
        """Note that the incidents of these orders came too late, and stay lapsed.

        :raise AccessError: if the user is no helpdesk manager.
        """
        self.check_access("read")
        self.env["helpdesk.incident.account"]._check_manager()
        for fault in self.sudo():
            lines = fault._missed_lines()
            lines._incident_remember(incident_missed_seen=True)
            for order in lines.order_id:
                order.message_post(
                    body=order.env._(
                        "Seen: it was paid too late for the incidents to be used."
                    )
                )
        self.sudo()._retry()

    def _compute_costs_nothing(self):
        for fault in self:
            fault.costs_nothing = bool(fault._waiting_lines())

    def action_confirm_free(self):
        """Confirm that the incidents of these orders cost nothing, and give them.

        :raise AccessError: if the user is no helpdesk manager (R7.3).
        """
        self.check_access("read")
        self.env["helpdesk.incident.account"]._check_manager()
        for fault in self.sudo():
            lines = fault._waiting_lines()
            self.env["helpdesk.incident.account"]._lock_ahead(
                lines.order_id._incident_holders()
            )
            lines._incident_confirm()
            for order in lines.order_id:
                order.message_post(
                    body=order.env._(
                        "Confirmed that this costs nothing: %(plans)s",
                        plans=lines._incident_plan_names(),
                    )
                )
        self.sudo()._retry()

    def _waiting_lines(self):
        """Return the lines of the order that wait for a helpdesk manager.

        :return: ``sale.order.line`` records with superuser rights.
        """
        return self._order_lines().filtered(lambda line: line._incident_waits())

    def _missed_lines(self):
        """Return the lines of the order whose incidents came too late (R15.1).

        :return: ``sale.order.line`` records with superuser rights.
        """
        return self._order_lines().filtered(lambda line: line._incident_missed())

    def _order_lines(self):
        orders = self.env["sale.order"].sudo()
        if self.res_model == orders._name:
            orders = orders.browse(self.res_id).exists()
        return orders.order_line

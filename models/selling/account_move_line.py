from odoo import api, fields, models

from .quantities import as_fraction


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    incident_reading = fields.Text(
        string="Description in the language of the reader",
        compute="_compute_incident_reading",
        compute_sudo=True,
        help="Empty where it is the description as it was written.",
    )
    incident_note = fields.Text(
        string="Incidents sold",
        compute="_compute_incident_reading",
        compute_sudo=True,
        help="How many incidents the line sells, and for which days, as far as the "
        "description does not say it.",
    )

    incident_sold = fields.Integer(
        string="Number of incidents",
        compute="_compute_incident_sold",
        compute_sudo=True,
        help="How many incidents the line sells, those of all months of a term "
        "together; below zero, how many a credit note takes back at most.",
    )

    @api.depends(
        *("quantity", "product_uom_id", "move_id.move_type"),
        "sale_line_ids.incident_quantity",
    )
    def _compute_incident_sold(self):
        """R8.6: of what is invoiced; a part of a line sells a part."""
        for line in self:
            sign = -1 if line.move_id.move_type == "out_refund" else 1
            line.incident_sold = sign * sum(
                int(
                    sold._incident_total()
                    * as_fraction(sold._incident_quantity_of(line))
                    / as_fraction(sold.product_uom_qty)
                )
                for sold in line.sale_line_ids
                if sold.incident_kind and sold.product_uom_qty
            )

    @api.depends("name", "sale_line_ids.incident_note")
    @api.depends_context("lang")
    def _compute_incident_reading(self):
        """R8.6. An invoice that is paid later cannot name the days of a term when it
        is written."""
        for line in self:
            sold, written = line.sale_line_ids, line.name or ""
            reading = sold._incident_read(written)
            line.incident_reading = reading if reading != written else False
            if line.move_id.move_type != "out_invoice":
                sold = sold.browse()
            notes = [sale_line._incident_words(said=reading) for sale_line in sold]
            line.incident_note = "\n".join(filter(None, notes))

    def write(self, vals):
        """Override: an order may be invoiced by it, or no more (R8.3), and it may sell
        what it names, or no more (R8.8)."""
        if "sale_line_ids" not in vals:
            res = super().write(vals)
            if "incident_sells_nothing" in vals:
                self.move_id._incident_sell()
            return res
        orders = self.move_id._incident_affected_orders()
        res = super().write(vals)
        (orders | self.move_id._incident_affected_orders()).with_context(
            incident_because=self.move_id._incident_because()
        )._incident_changed()
        return res

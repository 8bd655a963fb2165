from odoo import api, models
from odoo.fields import Domain


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Override of `base` for R2.3 and R11.6: attachments are looked for with all
        rights, and those that the user may not read are left out afterwards. What a
        condition asks of other documents is answered with the user's rights.
        """
        domain = Domain(domain)
        if not (self.env.su or bypass_access):
            domain = domain.map_conditions(self._incident_condition_of_user)
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    @api.model
    def _incident_condition_of_user(self, condition):
        """Return a condition that asks other documents nothing any more: it has the
        ids, or a query, of those that the user finds."""
        field = self._fields.get(condition.field_expr.partition(".")[0])
        if not field or not field.relational:
            return condition
        return condition.optimize_full(self).map_conditions(
            self._incident_query_of_user
        )

    @api.model
    def _incident_query_of_user(self, condition):
        if not isinstance(condition.value, Domain):
            return condition
        field = condition._field(self)
        asked, to_many = condition.value, field.type != "many2one"
        if to_many:
            asked &= field.get_comodel_domain(self)
        query = (
            self.env[field.comodel_name]
            .with_context(**field.context)
            ._search(
                asked,
                active_test=to_many,
                bypass_access=condition.operator.endswith("!"),
            )
        )
        return Domain(condition.field_expr, condition.operator, query)

from .common_unearned import UnearnedCommon


class OpeningCommon(UnearnedCommon):
    """Customers who come from another system (R21.4). It is April 11, 2027."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pieces = cls.plan("30 for half a year", 120, "pack", 30, 6)

    @classmethod
    def opening(cls, product=None, **values):
        """Enter what a customer had, as a helpdesk manager who has no other rights."""
        return (
            cls.env["helpdesk.incident.opening"]
            .with_user(cls.manager)
            .with_company(cls.company)
            .create(
                {
                    "reference": f"OLD-{next(cls.references)}",
                    "partner_id": cls.customer.id,
                    "product_id": (product or cls.pack).id,
                    "quantity": 1,
                    **values,
                }
            )
        )

    @classmethod
    def opened(cls, product=None, **values):
        """Enter what a customer had, and confirm it."""
        opening = cls.opening(product, **values)
        opening.action_confirm()
        return opening

    @classmethod
    def running(cls, product=None, **values):
        """Enter and confirm a subscription from February 28, of which 4 of this
        month's incidents are left and three months are paid for."""
        return cls.opened(
            product or cls.months,
            **{
                "date_start": "2027-02-28",
                "date_end": "2027-06-27",
                "current_left": 4,
                "value": 72,
                "agreed_price": 90,
                **values,
            },
        )

    @classmethod
    def lives_on(cls, opening):
        """Return the subscription of an opening balance."""
        return cls.subscription(opening.sudo().order_id).sudo()

    def entries(self, opening):
        """Return kind, quantity and name of the entries of an opening balance."""
        order = opening.sudo().order_id
        found = self.env["helpdesk.incident.entry"].search(
            order._incident_entries_domain(), order="id"
        )
        return [(entry.kind, entry.quantity) for entry in found]

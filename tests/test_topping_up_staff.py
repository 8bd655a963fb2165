from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .test_topping_up import ToppingUpCommon


@tagged("post_install", "-at_install")
class TestToppingUpStaff(ToppingUpCommon):
    """R19.1: staff choose for a customer, from the form of the account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = cls.staff("agent", "helpdesk_mgmt.group_helpdesk_user")
        cls.seller = cls.staff("seller", "sales_team.group_sale_salesman_all_leads")
        cls.clerk = cls.staff("clerk", "account.group_account_invoice")

    @classmethod
    def staff(cls, login, groups):
        return new_test_user(
            cls.env,
            f"hps-topup-{login}",
            groups=f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def form(self, user, **context):
        """Return the form of the wizard, as the button on the account opens it."""
        wizard = self.env["helpdesk.incident.topup.set"].with_user(user)
        return Form(wizard.with_context(default_account_id=self.account.id, **context))

    def save(self, user, method="action_save", **values):
        form = self.form(user)
        for name, value in values.items():
            form[name] = value
        return getattr(form.save(), method)()

    def test_choose_and_switch_off(self):
        """R14: helpdesk users choose, and switch off; who looks at the account sees
        what was chosen."""
        self.save(self.agent, threshold=3, product_id=self.pack, monthly_limit=100)
        topup = self.account._topup()
        self.assertEqual((topup.threshold, topup.method), (3, "balance"))
        self.assertFalse(topup.agreed_partner_id)
        form = self.form(self.agent)
        self.assertEqual((form.threshold, form.product_id), (3, self.pack))
        self.assertIn("Below 3, buy Pack of 10", form.chosen)
        self.assertNotIn(self.months, form.plan_ids[:])
        form.monthly_limit = 60
        form.save().action_save()
        self.assertEqual(topup.monthly_limit, 60)
        for user in (self.agent, self.seller, self.clerk):
            seen = self.account.with_user(user).topup_ids
            self.assertEqual(seen.read(["threshold", "failures"])[0]["threshold"], 3)
            with self.assertRaises(AccessError):
                seen.write({"threshold": 1})
        self.save(self.agent, "action_switch_off")
        self.assertFalse(topup.is_on)

    def test_chosen_by_the_customer(self):
        """What staff change, the customer has not agreed to: no card is charged."""
        topup = self.choose()
        self.assertTrue(topup._payers())
        self.assertIn("Agreed by Northwind", self.form(self.agent).chosen)
        self.save(self.agent, monthly_limit=1000)
        self.assertEqual(topup.method, "card")
        self.assertFalse(topup._payers())

    def test_who_may_not(self):
        """R14: salespeople, others, and who may not see the account, choose nothing;
        what cannot be chosen is refused."""
        wizard = self.env["helpdesk.incident.topup.set"]
        values = {
            "account_id": self.account.id,
            "threshold": 3,
            "product_id": self.pack.id,
            "monthly_limit": 100,
        }
        for user in (self.seller, self.clerk):
            with self.assertRaises(AccessError):
                wizard.with_user(user).create(values)
        stranger = new_test_user(
            self.env,
            "hps-topup-stranger",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            company_id=self.env.ref("base.main_company").id,
            company_ids=[(6, 0, self.env.ref("base.main_company").ids)],
        )
        with self.assertRaises(UserError):
            wizard.with_user(stranger).create(values).action_save()
        for wrong in ({"product_id": self.months.id}, {"monthly_limit": 0}):
            with self.assertRaises(UserError):
                wizard.with_user(self.agent).create({**values, **wrong}).action_save()
        self.assertFalse(self.account._topup())

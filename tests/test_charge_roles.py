from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestChargeRoles(ChargeCommon):
    """R10.5, R14: who may what with charges."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = cls._staff("agent", "helpdesk_mgmt.group_helpdesk_user")
        company = {
            "company_id": cls.company.id,
            "company_ids": [(6, 0, cls.company.ids)],
        }
        cls.accountant = new_test_user(
            cls.env,
            "hps-accountant",
            "base.group_user,account.group_account_invoice",
            **company,
        )
        cls.auditor = new_test_user(
            cls.env,
            "hps-auditor",
            "base.group_user,account.group_account_readonly",
            **company,
        )
        cls.employee = new_test_user(
            cls.env, "hps-employee", "base.group_user", **company
        )
        cls.manager.write(company)
        cls.nora = new_test_user(
            cls.env,
            "hps-nora",
            "base.group_portal",
            parent_id=cls.customer.id,
            **company,
        )

    def test_charging_needs_no_rights_in_accounting(self):
        """R10.5: charge, edit, refund; the documents are the agent's."""
        self.assertFalse(self.charger.has_group("account.group_account_readonly"))
        for user in (self.charger, self.manager):
            with self.subTest(user=user.login):
                charge = self.charge(100, by=user)
                charge.with_user(user).amount = 60
                charge.with_user(user).action_refund()
                self.env.invalidate_all()
                self.assertEqual(self.documents(charge), [100, -40, -60])
                self.assertEqual((charge.user_id, charge.create_uid), (user, user))
                self.assertEqual(charge.invoice_ids.create_uid, user)
                charge.with_user(user).read()
                self.charged_ticket.with_user(user).read()

    def test_nobody_else_charges(self):
        """R10.5: none of the ways."""
        charge = self.charge(100)
        for user in (
            self.agent,
            self.accountant,
            self.auditor,
            self.employee,
            self.nora,
        ):
            for name, way in (
                ("create", lambda user: self.charge(5, by=user)),
                ("write", lambda user: charge.with_user(user).write({"amount": 5})),
                ("refund", lambda user: charge.with_user(user).action_refund()),
                ("delete", lambda user: charge.with_user(user).unlink()),
                (
                    "ticket",
                    lambda user: self.charged_ticket.with_user(user).write(
                        {"charge_ids": [(0, 0, {"name": "A", "amount": 5})]}
                    ),
                ),
                (
                    "dialog",
                    lambda user: self.charged_ticket.with_user(user).action_charge(),
                ),
                (
                    "wizard",
                    lambda user: (
                        self.env["helpdesk.ticket.charge.wizard"]
                        .with_user(user)
                        .create({"ticket_id": self.charged_ticket.id, "amount": 5})
                        .action_apply()
                    ),
                ),
            ):
                # Deleting is refused to everybody, in other words.
                error = UserError if name == "delete" else AccessError
                with (
                    self.subTest(user=user.login, way=name),
                    self.assertRaises(error),
                    self.env.cr.savepoint(),
                ):
                    way(user)
        self.env.invalidate_all()
        self.assertEqual(self.documents(charge), [100])
        with self.assertRaisesRegex(AccessError, "You may not charge"):
            self.charge(5, by=self.agent)

    def test_only_where_one_may_write_the_ticket(self):
        """R10.5: the levels of helpdesk_mgmt."""
        own = new_test_user(
            self.env,
            "hps-own",
            "base.group_user,helpdesk_paid_support.group_ticket_charge",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.charged_ticket.user_id = self.charger
        charge = self.charge(100)
        for way in (
            lambda: self.charge(5, by=own),
            lambda: charge.with_user(own).write({"amount": 5}),
            lambda: charge.with_user(own).action_refund(),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                way()
        self.charged_ticket.user_id = own
        self.assertEqual(self.charge(5, by=own).amount, 5)

    def test_dialog_about_a_charge_of_elsewhere(self):
        """R10.5: the dialog shows and changes a charge of its ticket alone."""
        charge = self.charge(77)
        company = self.env["res.company"].create({"name": "B"})
        outsider = new_test_user(
            self.env,
            "hps-outsider",
            "base.group_user,helpdesk_mgmt.group_helpdesk_user,"
            "helpdesk_paid_support.group_ticket_charge",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        ticket = self.charged_ticket.copy({"company_id": company.id})
        other = self._open_ticket(self.contact)
        for user, where in ((outsider, ticket), (self.charger, other)):
            values = {"ticket_id": where.id, "charge_id": charge.id, "amount": 1}
            wizards = self.env["helpdesk.ticket.charge.wizard"].with_user(user)
            for way in (
                lambda wizard: wizard.read(["amount_credited"]),
                lambda wizard: wizard.action_apply(),
            ):
                with (
                    self.subTest(user=user.login),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    wizard = wizards.create(values)
                    self.env.invalidate_all()
                    way(wizard)
        self.env.invalidate_all()
        self.assertEqual(self.documents(charge), [77])

    def test_who_reads(self):
        """R14: staff of the helpdesk and of accounting, in their companies."""
        charge = self.charge(100)
        model = self.env["helpdesk.ticket.charge"]
        for user in (
            self.charger,
            self.agent,
            self.manager,
            self.accountant,
            self.auditor,
        ):
            with self.subTest(user=user.login):
                found = model.with_user(user).search([])
                self.assertEqual(found.ids, charge.ids)
                found.read()
                form = found.action_view_ticket()
                ticket = self.env[form["res_model"]].with_user(user)
                ticket.browse(form["res_id"]).read(["number", "charge_amount"])
        for user in (self.employee, self.nora, self.env.ref("base.public_user")):
            with self.subTest(user=user.id), self.assertRaises(AccessError):
                model.with_user(user).search([])
        company = self.env["res.company"].create({"name": "B"})
        elsewhere = new_test_user(
            self.env,
            "hps-elsewhere",
            "base.group_user,helpdesk_mgmt.group_helpdesk_manager",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        self.assertFalse(model.with_user(elsewhere).search([]))
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            charge.with_user(elsewhere).action_refund()

    def test_accountants_read_the_documents(self):
        """R14: and chargers read their numbers alone."""
        charge = self.charge(100)
        self.assertEqual(
            charge.with_user(self.accountant).invoice_ids.ids, charge.invoice_ids.ids
        )
        mine = charge.with_user(self.charger)
        self.assertEqual(mine.documents, charge.invoice_ids.name)
        with self.assertRaises(AccessError):
            mine.read(["invoice_ids"])

    def test_followers_of_other_customers(self):
        """R11.6: neither read nor search."""
        self.charge(100)
        other = new_test_user(self.env, "hps-other", "base.group_portal")
        self.charged_ticket.message_subscribe(
            (other.partner_id + self.employee.partner_id).ids
        )
        for user in (other, self.employee, self.nora):
            tickets = self.env["helpdesk.ticket"].with_user(user)
            for name in ("charge_amount", "charge_ids", "charge_count"):
                with (
                    self.subTest(user=user.login, name=name),
                    self.assertRaises(AccessError),
                ):
                    tickets.browse(self.charged_ticket.id).read([name])
            with self.assertRaises(AccessError):
                tickets.search([("charge_amount", ">", 0)])
            messages = self.env["mail.message"].with_user(user)
            found = messages.search(
                [
                    ("model", "=", "helpdesk.ticket"),
                    ("res_id", "=", self.charged_ticket.id),
                ]
            )
            if user.share:
                self.assertFalse(found.filtered(lambda m: "100" in (m.body or "")))

from unittest.mock import patch

from psycopg2 import IntegrityError
from psycopg2.errors import SerializationFailure

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import PaidSupportCommon


class TestRegistration(PaidSupportCommon):
    """R6.1: incidents for new clients."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.incident_registration_quantity = 3
        cls.newcomer = cls.env["res.partner"].create(
            {"name": "Newcomer", "is_company": True, "email": "new@example.com"}
        )

    def invite(self, partner):
        """Grant portal access with the wizard of the portal."""
        wizard = (
            self.env["portal.wizard"]
            .with_context(active_ids=partner.ids)
            .create({"partner_ids": [Command.link(partner.id)]})
        )
        wizard.user_ids.action_grant_access()
        return partner.user_ids

    def contact(self, name):
        return self.env["res.partner"].create(
            {
                "name": name,
                "email": f"{name.lower()}@new.example.com",
                "parent_id": self.newcomer.id,
            }
        )

    def given(self, customer=None):
        account = self.account_model._of(customer or self.newcomer, self.company)
        return account.lifetime_granted

    def test_two_at_once(self):
        """R6.1: two users of a customer who are made at the same moment are its first
        ones: it is given 3, once."""
        group = self.env.ref("base.group_portal")
        self.env["res.users"].create(
            [
                {
                    "name": contact.name,
                    "login": contact.email,
                    "partner_id": contact.id,
                    "company_id": self.company.id,
                    "company_ids": [Command.set(self.company.ids)],
                    "group_ids": [Command.set(group.ids)],
                }
                for contact in (self.contact("Anna"), self.contact("Bert"))
            ]
        )
        self.assertEqual(self.given(), 3)
        self.assertEqual(len(self.account(self.newcomer).entry_ids), 1)

    def test_invited(self):
        """R6.1: the first portal user of the customer, once."""
        user = self.invite(self.contact("Anna"))
        self.assertEqual(self.given(), 3)
        entry = self.account(self.newcomer).entry_ids
        self.assertEqual((entry.kind, entry.name), ("registration", "Welcome"))
        self.invite(self.contact("Bert"))
        self.assertEqual(self.given(), 3)
        user.active = False
        user.active = True
        self.company.incident_registration_quantity = 10
        self.invite(self.contact("Cleo"))
        self.assertEqual(self.given(), 3)

    def test_not_for_staff(self):
        """R6.1: a portal user, not an internal one."""
        new_test_user(
            self.env, "hps-new-staff", groups="base.group_user"
        ).partner_id.parent_id = self.newcomer
        self.assertEqual(self.given(), 0)
        self.invite(self.contact("Anna"))
        self.assertEqual(self.given(), 3)

    def test_nothing_for_the_past(self):
        """R6.6: customers with a portal user are no new clients."""
        self.company.incident_registration_quantity = 0
        self.invite(self.contact("Anna"))
        self.company.incident_registration_quantity = 3
        self.invite(self.contact("Bert"))
        self.assertEqual(self.given(), 0)

    def test_who_comes_back_is_not_new(self):
        """R6.6: portal access revoked and granted again, or a user unarchived."""
        self.company.incident_registration_quantity = 0
        contact = self.contact("Anna")
        user = self.invite(contact)
        self.company.incident_registration_quantity = 3
        user.active = False
        user.active = True
        wizard = (
            self.env["portal.wizard"]
            .with_context(active_ids=contact.ids)
            .create({"partner_ids": [Command.link(contact.id)]})
        )
        wizard.user_ids.action_revoke_access()
        self.assertFalse(user.active)
        self.invite(contact)
        self.assertTrue(user.active)
        self.assertEqual(self.given(), 0)

    def test_concurrent_sign_up_is_tried_again(self):
        """R3.9, R2.1: it is no fault of whoever signs up."""
        users = self.env["res.users"].sudo()
        users.env["ir.config_parameter"].set_param(
            "auth_signup.invitation_scope", "b2c"
        )
        with (
            patch.object(
                type(self.account_model), "_settle", side_effect=SerializationFailure()
            ),
            self.assertRaises(SerializationFailure),
        ):
            users.signup(
                {"login": "zoe@example.com", "name": "Z", "password": "hps-zoe"}
            )

    def test_allowed_in_another_company(self):
        """R6.1, R2.3: the first portal user allowed in that company."""
        company_b = self.env["res.company"].create(
            {"name": "B", "incident_registration_quantity": 5}
        )
        user = self.invite(self.contact("Anna"))
        user.sudo().company_ids += company_b
        account = self.account_model._of(self.newcomer, company_b)
        self.assertEqual((self.given(), account.lifetime_granted), (3, 5))

    def test_register_as_client(self):
        """R6.1: staff register a customer without a portal user; once."""
        customer = self.newcomer.with_user(self.agent)
        self.assertTrue(customer.incident_can_register)
        customer.action_incident_register()
        self.assertEqual(self.given(), 3)
        self.assertFalse(self.newcomer.with_user(self.agent).incident_can_register)
        with self.assertRefused("registered as a client before"):
            customer.action_incident_register()
        self.invite(self.contact("Anna"))
        self.assertEqual(self.given(), 3)
        with self.assertRefused("has a portal user"):
            customer.action_incident_register()
        self.company.incident_registration_quantity = 0
        with self.assertRefused("gives no incidents to new clients"):
            customer.action_incident_register()

    def test_who_may_register(self):
        """R14"""
        for user in (self.employee, self.accountant, self.portal_user):
            with self.assertRaises(AccessError):
                self.newcomer.with_user(user).action_incident_register()

    def test_settings_warn(self):
        """R6.1: where anybody may sign up."""
        settings = self.env["res.config.settings"].create({})
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("auth_signup.invitation_scope", "b2b")
        self.assertFalse(settings.incident_free_signup)
        parameters.set_param("auth_signup.invitation_scope", "b2c")
        settings.invalidate_recordset(["incident_free_signup"])
        self.assertTrue(settings.incident_free_signup)

    def test_numbers_are_not_negative(self):
        """R6"""
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.company.incident_registration_quantity = -1
            self.env.flush_all()


@tagged("post_install", "-at_install")
class TestSignUp(HttpCase):
    def test_sign_up(self):
        """R6.1: whoever signs up is a new client."""
        self.env.company.incident_registration_quantity = 3
        self.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")
        if "signup" not in dir(self.env["res.users"]):
            self.skipTest("auth_signup is not installed")
        page = self.url_open("/web/signup").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        self.url_open(
            "/web/signup",
            data={
                "csrf_token": token,
                "login": "zoe@example.com",
                "name": "Zoe",
                "password": "hps-zoe-hps",
                "confirm_password": "hps-zoe-hps",
            },
        )
        user = self.env["res.users"].search([("login", "=", "zoe@example.com")])
        account = self.env["helpdesk.incident.account"]._of(
            user.partner_id, self.env.company
        )
        self.assertEqual(account.lifetime_granted, 3)

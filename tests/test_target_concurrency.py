from odoo.tests import new_test_user, tagged

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestTargetConcurrency(ConcurrencyCase):
    """R3.6, R16.6, R17: two say at once what a ticket takes, and both are heard."""

    def setUp(self):
        super().setUp()
        name = self._testMethodName.replace("_", "-")
        with self.transaction() as env:
            env.company.incident_contest_days = 14
            customer = env["res.partner"].create({"name": name})
            user = new_test_user(
                env, name, groups="base.group_portal", parent_id=customer.id
            )
            team = env["helpdesk.ticket.team"].create(
                {
                    "name": name,
                    "incident_required": True,
                    "incident_unit": "time",
                    "incident_block_minutes": 30,
                    "user_ids": env.user.ids,
                }
            )
            outcomes = env["helpdesk.ticket.outcome"].create(
                [{"name": "Defect"}, {"name": "Goodwill"}]
            )
            self.customer_id, self.user_id = customer.id, user.id
            self.outcome_ids = outcomes.ids
            self.account(env)._adjust(5, "A gift")
            env.flush_all()
            self.ticket_id = (
                env["helpdesk.ticket"]
                .with_user(user)
                .sudo()
                .create(
                    {
                        "name": "It does not work",
                        "description": "…",
                        "team_id": team.id,
                        "partner_id": user.partner_id.id,
                    }
                )
                .id
            )

    def account(self, env):
        customer = env["res.partner"].browse(self.customer_id)
        return env["helpdesk.incident.account"]._of(customer, env.company, create=True)

    def ticket(self, env):
        return env["helpdesk.ticket"].browse(self.ticket_id)

    def write_both(self, first, second):
        """Write both at once, and check that the one who came later was tried again."""
        results = self.race(
            lambda env, number: self.ticket(env).write([first, second][number])
        )
        self.assertEqual([result for result, _tries in results], [True, True])
        self.assertEqual(sorted(tries for _result, tries in results), [1, 2])

    def assertTakes(self, held, short, left):
        with self.transaction() as env:
            ticket = self.ticket(env)
            self.assertEqual(
                (
                    ticket.incident_count,
                    ticket.incident_short,
                    self.account(env).available,
                ),
                (held, short, left),
            )
            # Other tests have their own customers here.
            accounts = self.account(env)
            found = env["helpdesk.incident.account"]._check_ledger()
            self.assertFalse([d for d in found if d.account == accounts])

    def say(self, **values):
        with self.transaction() as env:
            self.ticket(env).write(values)

    def contest(self):
        with self.transaction(self.user_id) as env:
            return self.ticket(env)._incident_do_contest(env.user, "Why?").id

    def test_hand_and_outcome(self):
        self.write_both(
            {"incident_count": 3}, {"incident_outcome_id": self.outcome_ids[0]}
        )
        self.assertTakes(0, 0, 5)
        self.say(incident_outcome_id=False)
        self.assertTakes(3, 0, 2)

    def test_time_and_hand(self):
        self.write_both({"incident_count": 3}, {"incident_minutes": 300})
        self.assertTakes(3, 0, 2)

    def test_two_outcomes(self):
        first, second = self.outcome_ids
        self.write_both({"incident_outcome_id": first}, {"incident_outcome_id": second})
        self.assertTakes(0, 0, 5)
        with self.transaction() as env:
            kinds = self.ticket(env).incident_entry_ids.sorted("id").mapped("kind")
            self.assertEqual(kinds, ["deduction", "return"])

    def test_released_and_outcome(self):
        """Incidents arrive for a ticket that is short as its outcome is set."""
        self.say(incident_minutes=300)
        self.assertTakes(5, 5, 0)

        def work(env, number):
            if number:
                self.ticket(env).incident_outcome_id = self.outcome_ids[0]
            else:
                self.account(env)._adjust(3, "A gift")
                self.account(env)._release()

        self.race(work)
        self.assertTakes(0, 0, 8)

    def test_contested_twice(self):
        """R17.4: once for each deduction."""
        results = self.race(
            lambda env, _number: (
                self.ticket(env)._incident_do_contest(env.user, "?").id
            ),
            uid=self.user_id,
        )
        refused = [r for r, _tries in results if isinstance(r, Exception)]
        self.assertEqual(len(refused), 1)
        self.assertIn("nothing to contest", str(refused[0]))
        with self.transaction() as env:
            self.assertEqual(len(self.ticket(env).incident_contest_ids), 1)
            self.assertEqual(len(self.ticket(env).activity_ids), 1)

    def test_accepted_and_declined(self):
        """R17.4: it is decided once, and the customer is told once."""
        contest_id = self.contest()

        def work(env, number):
            contest = env["helpdesk.incident.contest"].browse(contest_id)
            if number:
                contest._decline("No")
            else:
                contest._accept(
                    env["helpdesk.ticket.outcome"].browse(self.outcome_ids[0])
                )

        results = self.race(work)
        refused = [r for r, _tries in results if isinstance(r, Exception)]
        self.assertEqual(len(refused), 1)
        self.assertIn("decided already", str(refused[0]))
        with self.transaction() as env:
            contest = env["helpdesk.incident.contest"].browse(contest_id)
            held = 1 if contest.state == "declined" else 0
            reminders = env["helpdesk.incident.reminder"].search(
                [("ticket_id", "=", self.ticket_id)]
            )
            self.assertEqual(reminders.mapped("kind"), [contest.state])
        self.assertTakes(held, 0, 5 - held)

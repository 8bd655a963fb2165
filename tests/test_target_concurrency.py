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

    # -- asked first (R18.5) --

    def propose(self):
        with self.transaction() as env:
            proposals = env["helpdesk.ticket.proposal"]
            proposal = proposals.create(
                {
                    "ticket_id": self.ticket_id,
                    "kind": "incidents",
                    "quantity": 2,
                    "name": "Move it",
                }
            )
            return proposal.id, proposal._question().key

    def approve(self, env, proposal_id, key):
        user = env["res.users"].browse(self.user_id)
        proposal = env["helpdesk.ticket.proposal"].with_user(user).sudo()
        proposal.browse(proposal_id)._approve(user, key)

    def race_to_approve(self, other):
        """Let something else happen to a proposal as the customer approves it.

        :param other: what happens, in an environment, to a proposal.
        :return: what the proposal has become, and the errors.
        """
        proposal_id, key = self.propose()

        def work(env, number):
            if number:
                other(env, env["helpdesk.ticket.proposal"].browse(proposal_id))
            else:
                self.approve(env, proposal_id, key)

        results = self.race(work)
        with self.transaction() as env:
            state = env["helpdesk.ticket.proposal"].browse(proposal_id).state
        return state, [str(r) for r, _tries in results if isinstance(r, Exception)]

    def assertEnded(self, state, otherwise):
        """Check that what was approved has happened, and nothing otherwise."""
        self.assertIn(state, ("approved", otherwise))
        held = 3 if state == "approved" else 1
        self.assertTakes(held, 0, 5 - held)

    def test_approved_twice(self):
        """R18.5: a double click, or two users of the customer: it happens once."""
        proposal_id, key = self.propose()
        results = self.race(
            lambda env, _number: self.approve(env, proposal_id, key), workers=3
        )
        self.assertEqual([result for result, _tries in results], [None] * 3)
        self.assertTakes(3, 0, 2)
        with self.transaction() as env:
            self.assertEqual(len(self.ticket(env).activity_ids), 1)

    def test_approved_and_withdrawn(self):
        """R18.5: of two at once, one is told that it is late."""
        state, errors = self.race_to_approve(
            lambda _env, proposal: proposal.action_withdraw()
        )
        self.assertEnded(state, "withdrawn")
        self.assertEqual(len(errors), 1)
        self.assertIn("not open any more", errors[0])

    def test_approved_and_ended(self):
        """R18.5: the scheduled action ends it, as it is approved on the last day."""
        state, errors = self.race_to_approve(lambda _env, proposal: proposal._expire())
        self.assertEnded(state, "expired")
        self.assertEqual(len(errors), int(state == "expired"))

    def test_approved_and_closed(self):
        """R18.5: staff close the ticket: what was approved before has happened."""
        state, errors = self.race_to_approve(
            lambda env, _proposal: self.ticket(env).write(
                {"stage_id": env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done").id}
            )
        )
        self.assertEnded(state, "withdrawn")
        self.assertEqual(len(errors), int(state == "withdrawn"))

    def test_approved_and_used(self):
        """R16.6: another ticket takes what was there: it is approved, or refused; the
        customer is never below zero."""

        def take(env, _proposal):
            env["helpdesk.ticket"].create(
                {
                    "name": "Another",
                    "description": "…",
                    "partner_id": self.ticket(env).partner_id.id,
                    "incident_count": 3,
                }
            )

        state, errors = self.race_to_approve(take)
        self.assertEqual(len(errors), 1)
        self.assertIn("available", errors[0])
        with self.transaction() as env:
            left = self.account(env).available
        self.assertEqual(left, 2 if state == "approved" else 1)

"""What must work with the data of a released version after the update."""


def check(env):
    """Raise an error unless the ledger is sound, every view loads, and incidents go out
    and come back."""
    differences = env["helpdesk.incident.account"]._check_ledger()
    assert not differences, differences
    _load_views(env)
    _know_addresses(env)
    _know_branches(env)
    _know_reminders(env)
    _use(env)


def _load_views(env):
    """Load what each action of the module shows, with the fields of its lists."""
    data = env["ir.model.data"].search(
        [
            ("module", "=", "helpdesk_paid_support"),
            ("model", "=", "ir.actions.act_window"),
        ]
    )
    for action in env["ir.actions.act_window"].browse(data.mapped("res_id")):
        model = env[action.res_model]
        views = model.get_views([*action.views, (False, "search")])["views"]
        assert len(views) >= len(action.views), action.name
        if not model._transient:
            model.search([], limit=80).read()


def _know_addresses(env):
    """R11.3: what a customer has typed proves nothing, what staff gave does."""
    users = env["res.users"].search(
        [("login", "in", ["bella@example.com", "nora@example.com"])]
    )
    assert {user.login: user.partner_id.incident_email_declared for user in users} == {
        "bella@example.com": True,
        "nora@example.com": False,
    }


def _know_branches(env):
    """R2.3: a customer has one account in a company and its branches."""
    accounts = env["helpdesk.incident.account"].search([])
    assert not accounts.company_id.parent_id
    names = accounts.partner_id.mapped("name")
    assert {"Northwind", "Southwind"} <= set(names) and len(names) == len(accounts)
    for rule in env["ir.rule"].search([("name", "like", "ncident%multi-company")]):
        assert rule.model_id.model == "helpdesk.incident.fault" or (
            "parent_of" in rule.domain_force
        ), rule.name


def _know_reminders(env):
    """R15.4, R19.3: the numbers of before, and what was told is not told again."""
    company = env.company
    assert company.incident_reminder_days == "40"
    thresholds = company.incident_threshold_ids
    assert [(t.number, t._kinds()) for t in thresholds] == [(4, ["low"])]
    told = env["helpdesk.incident.reminder"].sudo()
    before = told.search([])
    told._note_occasions()
    again = told.search([]) - before
    assert not again.filtered(lambda r: r.kind in ("ends", "expires")), again
    # R15.3: how many lapse when a subscription ends.
    ends = env.ref("helpdesk_paid_support.mail_template_incident_ends")
    assert "period_balance" not in ends.body_html
    assert "object.quantity" in ends.body_html


def _use(env):
    # R16.6: what was waived is as if 0 was set by hand.
    for ticket in env["helpdesk.ticket"].search([("incident_state", "=", "waived")]):
        assert (ticket.incident_basis, ticket.incident_target) == ("hand", 0)
    for ticket in env["helpdesk.ticket"].search([("incident_state", "=", "deducted")]):
        before = ticket.incident_count
        ticket.incident_count = before + 1
        taken = ticket.incident_available
        ticket.incident_count = before
        env.invalidate_all()
        assert ticket.incident_count == before
        assert ticket.incident_available >= taken
    assert not env["helpdesk.incident.account"]._check_ledger()

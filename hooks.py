from odoo.tools import SQL


def post_init_hook(env):
    """Let payments and users of before never count (R6.6)."""
    env["account.payment"].flush_model(["state", "move_id"])
    env.execute_query(
        SQL(
            """
            UPDATE account_payment p SET incident_seen = TRUE
             WHERE p.state IN ('in_process', 'paid')
               AND NOT EXISTS (SELECT FROM account_move m
                                WHERE m.id = p.move_id AND m.state <> 'posted')
            """
        )
    )
    env["account.payment"].invalidate_model(["incident_seen"])
    env.execute_query(SQL("UPDATE res_users SET incident_portal_seen = share"))
    env["res.users"].invalidate_model(["incident_portal_seen"])


def uninstall_hook(env):
    """Empty the ledger: its tables go, and what they name should be free to go, too."""
    _delete_demo(env)
    env.cr.execute("UPDATE account_payment SET incident_account_id = NULL")
    env.cr.execute(
        "UPDATE sale_order_line SET incident_account_id = NULL,"
        " incident_subscription_id = NULL, incident_term_id = NULL"
    )
    env.cr.execute("UPDATE account_move SET ticket_charge_id = NULL")
    env.cr.execute("DELETE FROM helpdesk_ticket_charge")
    env.cr.execute("UPDATE product_template SET incident_extra_product_id = NULL")
    # Orders that say nothing but what was had in another system are none any more.
    env.cr.execute(
        "UPDATE sale_order_line SET state = 'cancel' WHERE order_id IN"
        " (SELECT id FROM sale_order WHERE incident_opening)"
    )
    env.cr.execute("UPDATE sale_order SET state = 'cancel' WHERE incident_opening")
    for table in (
        "release_line",
        "release",
        "opening",
        "purchase",
        "merge",
        "entry",
        "allotment",
        "subscription_term",
        "subscription",
        "topup",
        "account",
    ):
        env.cr.execute(
            SQL("DELETE FROM %s", SQL.identifier(f"helpdesk_incident_{table}"))
        )
    env.invalidate_all()


def _delete_demo(env):
    """Delete the documents that the demo data has posted: they would stay, and keep
    what they name."""
    data = env["ir.model.data"]
    # The entry of a payment goes with it.
    for model, reset in (
        ("account.payment", "action_draft"),
        ("account.move", "button_draft"),
    ):
        ids = data.search(
            [("module", "=", "helpdesk_paid_support"), ("model", "=", model)]
        ).mapped("res_id")
        documents = env[model].with_context(force_delete=True).browse(ids).exists()
        posted = documents.filtered(lambda document: document.state != "draft")
        getattr(posted, reset)()
        documents.unlink()

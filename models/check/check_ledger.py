"""The check of the ledger alone, without other documents (R13.4)."""

from odoo import models
from odoo.tools import SQL

from ..ledger.helpdesk_incident_entry import MOVED

#: The kinds of the entries that a cause makes, by the first word of its key.
KINDS = {
    "registration": ("registration", "revocation"),
    "first_payment": ("first_payment", "revocation"),
    "topup": ("topup", "revocation"),
    "sale_line": ("purchase", "opening", "revocation"),
    "period": ("period", "opening", "revocation"),
    "adjustment": ("adjustment",),
    "helpdesk.incident.adjust": ("adjustment",),
    "expiry": ("expiry",),
}
#: Those that a document makes that takes incidents.
TAKEN = ("deduction", "return", "adjustment")


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _check_accounts(self):
        """R2.1, R6.2"""
        return self._comparison(
            "helpdesk.incident.account",
            SQL(
                """
                helpdesk_incident_account a
                  JOIN res_partner partner ON partner.id = a.partner_id
                  LEFT JOIN (SELECT account_id, COUNT(*) AS number
                               FROM helpdesk_incident_allotment
                              WHERE kind = 'lifetime' GROUP BY 1) m
                    ON m.account_id = a.id
                  LEFT JOIN (SELECT DISTINCT account_id FROM helpdesk_incident_entry
                              WHERE kind = 'first_payment') e
                    ON e.account_id = a.id
                """
            ),
            {
                "partner_id": ("a.partner_id", "partner.commercial_partner_id"),
                "allotment_ids": ("COALESCE(m.number, 0)", "1"),
                "first_payment": (
                    "a.first_payment",
                    """CASE WHEN e.account_id IS NOT NULL THEN 'given'
                            ELSE NULLIF(a.first_payment, 'given') END""",
                ),
            },
            account="a.id",
            res_id="a.id",
        )

    def _check_balances(self):
        """R3.3: the numbers of an allotment are sums of its entries; its days and its
        subscription are those of its cause."""
        # "period:<subscription>:<first day>:<last day>", and where what is unused is
        # carried over, ":<last day of that>"; the parts may be anything.
        of_month = """CASE m.res_model WHEN 'helpdesk.incident.subscription'
            THEN NULLIF(split_part(m.cause_key, ':', {}), '') ELSE {}::text END"""
        return self._comparison(
            "helpdesk.incident.allotment",
            SQL(
                """
                helpdesk_incident_allotment m
                  LEFT JOIN helpdesk_incident_subscription s ON s.id = m.subscription_id
                  LEFT JOIN (
                    SELECT allotment_id, SUM(quantity) AS balance,
                           %(granted)s AS granted, -%(used)s AS used,
                           -%(lapsed)s AS lapsed
                      FROM helpdesk_incident_entry GROUP BY 1) e
                    ON e.allotment_id = m.id
                """,
                **MOVED,
            ),
            {
                "granted": ("m.granted", "COALESCE(e.granted, 0)"),
                "used": ("m.used", "COALESCE(e.used, 0)"),
                "lapsed": ("m.lapsed", "COALESCE(e.lapsed, 0)"),
                "balance": ("m.balance", "COALESCE(e.balance, 0)"),
                "to_grant": (
                    "m.to_grant",
                    """CASE m.kind WHEN 'period'
                       THEN GREATEST(m.target - COALESCE(e.granted, 0), 0)
                       ELSE 0 END""",
                ),
                "target": (
                    "m.target",
                    "CASE m.kind WHEN 'period' THEN m.target ELSE 0 END",
                ),
                "kind": (
                    "m.kind",
                    "CASE WHEN m.cause_key IS NULL THEN 'lifetime' ELSE 'period' END",
                ),
                "date_from": ("m.date_from::text", of_month.format(3, "m.date_from")),
                "date_to": (
                    "m.date_to::text",
                    f"""COALESCE({of_month.format(5, "m.date_to")},
                                 {of_month.format(4, "m.date_to")})""",
                ),
                "date_period_to": (
                    "m.date_period_to::text",
                    f"""CASE WHEN split_part(m.cause_key, ':', 5) <> ''
                               OR m.subscription_id IS NULL
                             THEN {of_month.format(4, "m.date_period_to")} END""",
                ),
                "subscription_id": (
                    "m.subscription_id::text",
                    of_month.format(2, "NULL"),
                ),
                "grant_kind": (
                    "m.grant_kind",
                    # Of a month that was opened (R21.4) its terms know.
                    """CASE WHEN m.kind = 'period' AND (
                                m.subscription_id IS NULL OR m.grant_kind = 'opening')
                            THEN m.grant_kind END""",
                ),
                "account_id": ("m.account_id", "COALESCE(s.account_id, m.account_id)"),
            },
            account="m.account_id",
            res_id="m.id",
        )

    def _check_entries(self):
        """R3.2, R3.7: facts that an entry has twice agree."""
        consumers = {
            name: self.env[name]._incident_key("") for name in self._consumer_models()
        }
        words = {key.partition(":")[0] for key in consumers.values()}
        kinds = {**KINDS, **dict.fromkeys(words, TAKEN)}
        return self._comparison(
            "helpdesk.incident.entry",
            SQL(
                """
                helpdesk_incident_entry e
                  JOIN helpdesk_incident_allotment m ON m.id = e.allotment_id
                  LEFT JOIN helpdesk_ticket ticket
                    ON ticket.id = e.res_id AND e.res_model = 'helpdesk.ticket'
                  LEFT JOIN (VALUES %(consumers)s) AS consumer(model, key)
                    ON consumer.model = e.res_model
                  LEFT JOIN (VALUES %(kinds)s) AS cause(word, kinds)
                    ON cause.word = split_part(e.cause_key, ':', 1)
                """,
                consumers=SQL(", ").join(
                    SQL("(%s, %s)", name, key) for name, key in consumers.items()
                ),
                kinds=SQL(", ").join(
                    SQL("(%s, %s)", word, list(kinds)) for word, kinds in kinds.items()
                ),
            ),
            {
                "account_id": ("e.account_id", "m.account_id"),
                "ticket_id": ("e.ticket_id", "ticket.id"),
                "date": (
                    "e.date",
                    # That of the window, or later, of what somebody did on that day.
                    """CASE WHEN e.kind = 'period' AND (
                                e.date <= m.date_from
                                OR m.subscription_id IS NOT NULL AND NOT EXISTS (
                                   SELECT FROM helpdesk_incident_purchase p
                                    WHERE p.allotment_id = m.id AND p.date = e.date))
                            THEN m.date_from
                            WHEN e.kind = 'expiry' AND e.date <> m.date_to
                            THEN GREATEST(m.date_to, (
                                SELECT MAX(o.date) FROM helpdesk_incident_entry o
                                 WHERE o.allotment_id = m.id AND o.id < e.id
                                   AND o.quantity > 0))
                            ELSE e.date END""",
                ),
                "kind": (
                    "e.kind",
                    """CASE WHEN e.kind <> ALL(cause.kinds)
                            THEN array_to_string(cause.kinds, ' / ')
                            ELSE e.kind END""",
                ),
                "effect": (
                    "e.effect",
                    self.env["helpdesk.incident.entry"]._effect_of("e.kind"),
                ),
                "cause_key": (
                    "e.cause_key",
                    """CASE WHEN e.kind = 'expiry' THEN 'expiry:' || m.id
                            WHEN e.effect = 'uses'
                                 AND consumer.key IS NOT NULL
                            THEN consumer.key || e.res_id
                            WHEN m.kind = 'period' AND e.effect = 'gives'
                            THEN m.cause_key
                            ELSE e.cause_key END""",
                ),
            },
            account="e.account_id",
            res_id="e.id",
        )

    def _check_running_numbers(self):
        """R3.4: the entries of a cause are numbered without a gap."""
        return self._comparison(
            "helpdesk.incident.entry",
            SQL(
                """
                (SELECT e.account_id, e.id, e.cause_number, row_number()
                        OVER (PARTITION BY e.cause_key ORDER BY e.cause_number, e.id)
                        AS position
                   FROM helpdesk_incident_entry e
                   JOIN (SELECT cause_key FROM helpdesk_incident_entry GROUP BY 1
                         HAVING MAX(cause_number) <> COUNT(*) OR SUM(cause_number)
                                <> COUNT(*) * (COUNT(*) + 1) / 2) broken
                  USING (cause_key)) e
                """
            ),
            {"cause_number": ("e.cause_number", "e.position")},
        )

    def _check_tickets(self):
        """R4.5: a document has returned no more than it took, to each allotment."""
        return self._comparison(
            SQL("res_model"),
            SQL(
                """
                (SELECT account_id, res_model, res_id AS id, -SUM(quantity) AS number
                   FROM helpdesk_incident_entry WHERE effect = 'uses'
                  GROUP BY account_id, allotment_id, res_model, res_id
                 HAVING SUM(quantity) > 0) t
                """
            ),
            {"incident_count": ("t.number", "0")},
        )

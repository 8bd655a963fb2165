"""Many customers with accounts, made by SQL."""


def make_accounts(cr, company, number):
    """Make as many customers, and an account for each.

    They are in a temporary table ``bench``: ``id`` of the account, ``partner_id``, and
    ``n`` from 1. Whoever has made them drops it.
    """
    cr.execute(
        """
        CREATE TEMPORARY TABLE bench AS
        WITH template AS (
            SELECT * FROM res_partner WHERE id = %(partner)s
        ), partner AS (
            INSERT INTO res_partner (name, complete_name, active, type, autopost_bills)
            SELECT 'Customer ' || n, 'Customer ' || n, TRUE, 'contact',
                   template.autopost_bills
              FROM template, generate_series(1, %(number)s) n
            RETURNING id
        ), account AS (
            INSERT INTO helpdesk_incident_account (partner_id, company_id, revision)
            SELECT id, %(company)s, 0 FROM partner
            RETURNING id, partner_id
        )
        SELECT id, partner_id, row_number() OVER () AS n FROM account
        """,
        {"partner": company.partner_id.id, "company": company.id, "number": number},
    )
    cr.execute(
        "UPDATE res_partner SET commercial_partner_id = id "
        "WHERE id IN (SELECT partner_id FROM bench)"
    )

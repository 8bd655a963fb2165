def migrate(cr, version):
    """Call by one word what waits for incidents; note what each entry does to the
    numbers of its allotment; make a list of the days before which customers are told,
    and note what accounts had when they were looked at (R15.4, R19.3)."""
    cr.execute(
        """
        ALTER TABLE helpdesk_ticket RENAME COLUMN incident_hold TO incident_parking;
        ALTER TABLE helpdesk_ticket
            RENAME COLUMN incident_hold_date TO incident_parked_date;
        -- What gives needs no new row: PostgreSQL keeps one value for all of them.
        ALTER TABLE helpdesk_incident_entry
            ADD COLUMN effect varchar NOT NULL DEFAULT 'gives';
        ALTER TABLE helpdesk_incident_entry ALTER COLUMN effect DROP DEFAULT;
        UPDATE helpdesk_incident_entry
           SET effect = CASE kind WHEN 'expiry' THEN 'lapses' ELSE 'uses' END
         WHERE kind IN ('deduction', 'return', 'expiry');
        """
    )
    cr.execute(
        """
        -- It is made anew without this number.
        ALTER TABLE res_company DROP CONSTRAINT IF EXISTS
            res_company_incident_numbers_check;
        ALTER TABLE res_company ALTER COLUMN incident_reminder_days TYPE varchar
            USING NULLIF(incident_reminder_days, 0)::varchar;
        ALTER TABLE helpdesk_incident_reminder
            ADD COLUMN days int4 DEFAULT 0, ADD COLUMN seen int4;
        ALTER TABLE helpdesk_incident_reminder ALTER COLUMN days DROP DEFAULT;
        -- What was armed had more than the threshold; else it was told how many.
        UPDATE helpdesk_incident_reminder reminder
           SET seen = CASE reminder.state
                      WHEN 'armed' THEN company.incident_low_threshold + 1
                      ELSE reminder.quantity END
          FROM helpdesk_incident_account account
          JOIN res_company company ON company.id = account.company_id
         WHERE account.id = reminder.account_id AND reminder.kind = 'low';
        """
    )

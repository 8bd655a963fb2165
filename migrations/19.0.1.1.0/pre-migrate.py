def migrate(cr, version):
    """Call by one word what waits for incidents; note what each entry does to the
    numbers of its allotment."""
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

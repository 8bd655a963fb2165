def migrate(cr, version):
    """Call by one word what waits for incidents."""
    cr.execute(
        """
        ALTER TABLE helpdesk_ticket RENAME COLUMN incident_hold TO incident_parking;
        ALTER TABLE helpdesk_ticket
            RENAME COLUMN incident_hold_date TO incident_parked_date;
        """
    )

def migrate(cr, version):
    """Keep the number of incidents left at which customers are told (R19.3): branches
    go by their root company (R2.3)."""
    cr.execute(
        """
        INSERT INTO helpdesk_incident_threshold
               (company_id, number, tell_customer,
                create_uid, create_date, write_uid, write_date)
        SELECT id, incident_low_threshold, TRUE, 1, now(), 1, now()
          FROM res_company
         WHERE incident_low_threshold > 0 AND parent_id IS NULL;
        ALTER TABLE res_company DROP COLUMN incident_low_threshold;
        """
    )

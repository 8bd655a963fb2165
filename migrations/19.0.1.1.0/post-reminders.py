def migrate(cr, version):
    """Keep the number of incidents left at which customers are told (R19.3): branches
    go by their root company (R2.3). In the subject of that mail 0 was left out, and
    the mail about the end of a subscription said what was left of the month that ran:
    now it says what lapses with that end (R15.3)."""
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
    # The template is noupdate, and may be changed and translated.
    cr.execute(
        """
        UPDATE mail_template template
           SET subject = replace(template.subject::text, '{{ object.quantity }}',
                                 '{{ object.quantity or ''0'' }}')::jsonb
          FROM ir_model_data data
         WHERE data.module = 'helpdesk_paid_support'
           AND data.name = 'mail_template_incident_low'
           AND data.model = 'mail.template'
           AND data.res_id = template.id
        """
    )
    cr.execute(
        """
        UPDATE mail_template template
           SET body_html = replace(template.body_html::text,
                                   'object.subscription_id.period_balance',
                                   'object.quantity')::jsonb
          FROM ir_model_data data
         WHERE data.module = 'helpdesk_paid_support'
           AND data.name = 'mail_template_incident_ends'
           AND data.model = 'mail.template'
           AND data.res_id = template.id
        """
    )

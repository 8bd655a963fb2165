def migrate(cr, version):
    """Say of scheduled changes what was agreed to, and in the mail about a renewal that
    needs consent what differs (R9.7)."""
    cr.execute(
        """
        UPDATE helpdesk_incident_subscription subscription
           SET next_months = plan.incident_term_months,
               next_incidents = plan.incident_quantity * subscription.quantity
          FROM product_product plan
         WHERE plan.id = subscription.next_product_id
           AND subscription.next_product_id <> subscription.product_id
           AND COALESCE(subscription.next_months, 0) = 0
        """
    )
    # R15.2: all periods were months.
    cr.execute(
        "UPDATE sale_order_line SET incident_period_months = 1 "
        "WHERE incident_kind = 'period' AND incident_period_months IS NULL"
    )
    cr.execute(
        "UPDATE helpdesk_incident_subscription SET next_period_months = 1 "
        "WHERE next_months > 0"
    )
    # R15.3: nothing was carried over.
    cr.execute(
        "UPDATE sale_order_line SET incident_carry_periods = 0 "
        "WHERE incident_kind IS NOT NULL AND incident_carry_periods IS NULL"
    )
    cr.execute("UPDATE helpdesk_incident_subscription SET carry_periods = 0")
    # The template is noupdate, and may be changed and translated: what comes before the
    # next reason gets one more sentence, in each language.
    cr.execute(
        r"""
        UPDATE mail_template template
           SET body_html = (
               SELECT jsonb_object_agg(lang, regexp_replace(
                          body, '(</t>\s*<t t-elif="object\.reason == ''ordered''">)',
                          ' <t t-out="object.differences or ''''"></t>\1'))
                 FROM jsonb_each_text(template.body_html) AS translation(lang, body))
          FROM ir_model_data data
         WHERE data.module = 'helpdesk_paid_support'
           AND data.name = 'mail_template_incident_failed'
           AND data.model = 'mail.template'
           AND data.res_id = template.id
           AND template.body_html::text NOT LIKE '%object.differences%'
        """
    )

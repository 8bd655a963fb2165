def migrate(cr, version):
    """Say of tickets what they are to take (R16.6): what was waived, and what was
    returned of duplicates, is not asked for again when time is entered."""
    cr.execute(
        """
        UPDATE helpdesk_ticket
           SET incident_basis = 'hand', incident_chosen = 0, incident_submitted = 0
         WHERE incident_parking = 'waived' AND incident_basis IS NULL
        """
    )
    cr.execute(
        """
        UPDATE helpdesk_ticket ticket
           SET incident_is_duplicate = TRUE
         WHERE duplicate_id IS NOT NULL
           AND NOT EXISTS (
               SELECT 1 FROM helpdesk_incident_entry entry
                WHERE entry.ticket_id = ticket.id AND entry.effect = 'uses'
                HAVING SUM(entry.quantity) < 0
               )
        """
    )

"""What all mails that are sent by a template have in common."""

LAYOUT = "mail.mail_notification_light"
#: The values of a mail that a template gives.
MAIL_FIELDS = {
    "attachment_ids",
    "body_html",
    "email_cc",
    "email_from",
    "email_to",
    "mail_server_id",
    "partner_to",
    "reply_to",
    "report_template_ids",
    "subject",
}


def as_note(values):
    """Return what a mail that a template has generated is as a note of a document, for
    ``message_post``, but for its attachments. Only the recipients of the template get
    it, not followers.

    :param dict values: of the mail.
    """
    return {
        "subject": values.get("subject"),
        "body": values.get("body_html"),
        "email_from": values.get("email_from") or None,
        "reply_to": values.get("reply_to") or None,
        "partner_ids": values.get("partner_ids") or [],
        "mail_server_id": values.get("mail_server_id"),
        "message_type": "notification",
        "subtype_xmlid": "mail.mt_note",
        "email_layout_xmlid": LAYOUT,
    }

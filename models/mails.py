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

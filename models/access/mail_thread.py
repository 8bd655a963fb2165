"""What users of customers may write on documents, and search in them (R11.6)."""

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

#: Documents of customers, on which their users may write messages.
DOCUMENTS = frozenset(
    {
        "account.move",
        "helpdesk.incident.subscription",
        "helpdesk.ticket",
        "sale.order",
    }
)
#: The parts of a message that they may choose. Files are added by the pages, which
#: check whose they are.
PLAIN = frozenset({"body", "body_is_html", "subject"})
COMMENT = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
#: In the context, as ``incident_posting``: what a customer's user says is being posted.
#: An object cannot come in over RPC.
POSTING = object()


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _search_message_partner_ids(self, operator, operand):
        """Override of `mail`, which looks for followers with all rights: searches in
        them use the rights of the user who searches (R2.3)."""
        if isinstance(operand, Domain) and not self.env.su:
            operand = self.env["res.partner"]._search(operand, active_test=False)
        return super()._search_message_partner_ids(operator, operand)

    def message_post(self, **kwargs):
        """Override of `mail`, which lets everybody who may write a message choose from
        whom it comes and to whom it is sent. Users of customers write as themselves, to
        those who follow the document.

        :raise AccessError: if they have chosen more than the words.
        """
        if not self._incident_is_customers(self._name):
            return super().message_post(**kwargs)
        posting = self.with_context(incident_posting=POSTING)
        message = super(MailThread, posting).message_post(
            **self._incident_plain_message(kwargs)
        )
        return message.with_env(self.env)

    def message_update(self, msg_dict, update_vals=None):
        """Override of `mail`: see :meth:`message_post`. What comes by e-mail comes with
        the rights of the gateway."""
        self._incident_refuse_customers(self._name)
        return super().message_update(msg_dict, update_vals=update_vals)

    def message_notify(self, *, model=False, **kwargs):
        """Override of `mail`: see :meth:`message_post`."""
        self._incident_refuse_customers(model or self._name)
        return super().message_notify(model=model, **kwargs)

    def message_mail_with_source(self, source_ref, **kwargs):
        """Override of `mail`: see :meth:`message_post`."""
        self._incident_refuse_customers(self._name)
        return super().message_mail_with_source(source_ref, **kwargs)

    def message_post_with_source(self, source_ref, **kwargs):
        """Override of `mail`: see :meth:`message_post`."""
        self._incident_refuse_customers(self._name)
        return super().message_post_with_source(source_ref, **kwargs)

    @api.model
    def _incident_is_customers(self, model):
        """Return whether a customer's user writes on a document of this model, with
        rights of its own: as over RPC."""
        return (
            model in DOCUMENTS and not self.env.su and not self.env.user._is_internal()
        )

    @api.model
    def _incident_refuse_customers(self, model):
        if self._incident_is_customers(model):
            raise AccessError(
                self.env._(
                    "You can write a message here as yourself, to all who follow the "
                    "document: its sender and who else gets it are not yours to choose."
                )
            )

    def _incident_plain_message(self, values):
        """Return how a message of a customer's user is posted.

        :param dict values: what it has asked for, as ``message_post`` takes it.
        :raise AccessError: if it has asked for more than a message of its own.
        """
        asked = {name: value for name, value in values.items() if value}
        plain = {name: asked.pop(name) for name in PLAIN & asked.keys()}
        usual = {
            **COMMENT,
            "subtype_id": self.env.ref("mail.mt_comment").id,
            "author_id": self.env.user.partner_id.id,
        }
        if any(usual.get(name) != value for name, value in asked.items()):
            self._incident_refuse_customers(self._name)
        return {**plain, **COMMENT}

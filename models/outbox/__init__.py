from . import helpdesk_incident_outbox
from . import ir_actions_report
from . import mail_mail
from . import mail_template
from . import mail_thread

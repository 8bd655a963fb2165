from . import helpdesk_ticket
from . import helpdesk_ticket_team
from . import ticket_waiting
from . import ticket_mail
from . import account_release
from . import mail_thread
from . import mail_message

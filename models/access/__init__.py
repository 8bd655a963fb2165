from . import base
from . import account_move_line
from . import ir_attachment
from . import mail_message
from . import mail_thread
from . import saved_links

from . import account_topup
from . import account_first_payment
from . import account_registered
from . import account_payment
from . import account_payment_first
from . import account_payment_topup
from . import res_users
from . import res_partner

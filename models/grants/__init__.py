from . import account_topup
from . import account_first_payment
from . import account_payment
from . import res_users

from . import account_arrival
from . import account_documents
from . import account_overview
from . import account_purchases
from . import account_trial
from . import allotment_overview
from . import entry_overview
from . import subscription_overview

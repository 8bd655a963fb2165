from . import account_arrival
from . import account_overview
from . import allotment_overview

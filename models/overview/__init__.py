from . import account_overview
from . import allotment_overview

from . import buy
from . import new_ticket
from . import portal
from . import subscription

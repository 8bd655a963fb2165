from . import balance
from . import buy
from . import new_ticket
from . import parked
from . import portal
from . import statement
from . import subscription
from . import thread

"""What the queries of the module begin with."""


def flush(env, names):
    """Write what a query reads and the ORM has not written yet.

    To write everything would slow down whoever changes much at once.

    :param dict names: the names of the fields that it reads, by model, as words.
    """
    for model, fields in names.items():
        env[model].flush_model(fields.split())

def refuse(experiment):
    return None

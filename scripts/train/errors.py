class UserError(Exception):
    """What the user can set right: its message says how, and stands for a traceback (command.run_stage)."""

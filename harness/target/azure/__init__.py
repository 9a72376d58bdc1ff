"""Testing in the user's own Azure subscription. Nothing of this is imported for the local target.

`target.AzureTarget` is the target; `access` is how the services are reached, also for commands that test nothing.
"""

"""What keeps a pre-flight from working on this machine and in this network, each thing with its cure.

result     one thing that was looked at, and the probes run side by side, each with a deadline
network    names, ports, certificates, the clock
machine    packages, folders, ports to listen on, trust stores
access     whether the services' policies may do what is needed
examining  what is looked at for the local target and for Azure
"""

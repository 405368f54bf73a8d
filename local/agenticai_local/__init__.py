"""The whole system on one machine: the emulator, the resources, the processes."""

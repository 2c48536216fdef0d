"""An executor for calls that use the processor, or have to be stoppable whatever they do."""

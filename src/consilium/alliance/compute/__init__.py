"""Jobs and the engines that run them: what should happen is decided here, who does it is a scheduler."""

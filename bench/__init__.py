"""What the README says about speed, measured: Clary and a named peer in one run, interleaved."""

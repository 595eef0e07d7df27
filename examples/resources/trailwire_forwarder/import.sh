terraform import trailwire_forwarder.all_writes security/all-writes

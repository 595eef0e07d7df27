terraform import trailwire_trigger.root_opens_group security/root-opens-group

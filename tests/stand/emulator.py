"""The emulator of the stand: MiniStack with EventBridge delivery as AWS does it, on a loopback port that the system chooses.

usage: emulator.py PUBLIC_PORT STATE_DIRECTORY [enforce-iam]

PUBLIC_PORT is the port of the proxy in front, which queue URLs name; 0 where there is none. With enforce-iam every call needs a valid signature
and a policy that allows it; the access key of an account's root is its number. The first line on standard output is {"port": N}. The process ends,
with every worker it started, when standard input closes: so it never outlives the stand, however the stand ends.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import threading


def main():
    public_port, state, *options = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    if public_port == "0":
        public_port = str(listener.getsockname()[1])
    prepare_environment(public_port, state)
    if "enforce-iam" in options:
        os.environ.update(AUTH="true", AWS_SECRET_ACCESS_KEY="stand")

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    import alarms
    import assume_role
    import delivery
    import recording
    import resources
    import side_door
    from ministack import app

    alarms.install()
    assume_role.install()
    delivery.install()
    recording.install()
    resources.install()
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 3600
    config.loglevel = "WARNING"

    signal.signal(signal.SIGTERM, lambda *_: end(state))
    threading.Thread(target=end_with_parent, args=(state,), daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    asyncio.run(serve(side_door.beside(app.app), config))


def prepare_environment(public_port, state):
    """MiniStack reads these while it is imported."""
    os.environ.update(
        MINISTACK_HOST="127.0.0.1",
        GATEWAY_PORT=public_port,
        STATE_DIR=state,
        S3_DATA_DIR=os.path.join(state, "s3"),
        TMPDIR=state,
        # For Lambda functions, which are processes of this machine.
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{public_port}",
        LOG_LEVEL=os.environ.get("TRAILWIRE_STAND_LOG", "ERROR"),
    )


def end_with_parent(state):
    while sys.stdin.buffer.read(4096):
        pass
    end(state)


def end(state):
    """Ends the whole process group when it is ours (the stand starts us as its leader): Lambda workers are in it."""
    shutil.rmtree(state, ignore_errors=True)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()

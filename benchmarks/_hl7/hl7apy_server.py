"""hl7apy's own MLLP server, parsing and answering: ``python -m benchmarks._hl7.hl7apy_server``. Prints its port."""

import sys
from typing import Any

from hl7apy.core import Message
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message


class Handler(AbstractHandler):  # type: ignore[misc]
    """Parses, tolerant, and answers AA; nothing is stored."""

    def reply(self) -> str:
        """Return the acknowledgement."""
        given: Any = parse_message(self.incoming_message, find_groups=False)
        answer: Any = Message("ACK", version="2.5.1")
        answer.msh.msh_9 = "ACK"
        answer.msa.msa_1 = "AA"
        answer.msa.msa_2 = given.msh.msh_10.value
        text: str = answer.to_mllp()
        return text


if __name__ == "__main__":
    server = MLLPServer("127.0.0.1", 0, {"SIU^S12^SIU_S12": (Handler,), "SIU^S12": (Handler,)})
    sys.stdout.write(f"port {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()

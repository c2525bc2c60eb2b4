"""Reads and writes one attribute with gurux-dlms, over the wrapper or HDLC; a JSON request in, a JSON answer out."""

import json
import socket
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.objects.enums import SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient

AUTHENTICATION = {
    "none": Authentication.NONE,
    "hls-md5": Authentication.HIGH_MD5,
    "hls-sha1": Authentication.HIGH_SHA1,
    "hls-gmac": Authentication.HIGH_GMAC,
    "hls-sha256": Authentication.HIGH_SHA256,
}


def main():
    answer, sys.stdout = sys.stdout, sys.stderr  # the library talks on standard output
    request = json.load(sys.stdin)
    line = socket.create_connection(("127.0.0.1", request["port"]), timeout=10)
    hdlc = request["framing"] == "hdlc"
    client = GXDLMSSecureClient(
        True,
        1,
        1,
        AUTHENTICATION[request["authentication"]],
        bytes.fromhex(request["secret"]) if "secret" in request else None,
        InterfaceType.HDLC if hdlc else InterfaceType.WRAPPER,
    )
    client.ciphering.systemTitle = bytes.fromhex(request["clientTitle"])
    if "unicast" in request:
        client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        client.ciphering.securitySuite = SecuritySuite(request["suite"])
        client.ciphering.blockCipherKey = bytes.fromhex(request["unicast"])
        client.ciphering.authenticationKey = bytes.fromhex(request["authenticationKey"])
        client.ciphering.invocationCounter = 1
        if "dedicatedKey" in request:
            client.ciphering.dedicatedKey = bytes.fromhex(request["dedicatedKey"])

    def exchange(octets, reply):
        line.sendall(octets)
        received = GXByteBuffer()
        while True:
            more = line.recv(4096)
            if not more:
                raise ConnectionError("the meter closed the connection")
            received.set(more)
            if client.getData(received, reply):
                return

    def ask(requests):
        reply = GXReplyData()
        for one in requests if isinstance(requests, list) else [requests]:
            reply.clear()
            exchange(one, reply)
            while reply.isMoreData():
                exchange(client.receiverReady(reply), reply)
            if reply.error:
                raise RuntimeError(f"the meter refused: {reply.error}")
        return reply

    if hdlc:
        client.parseUAResponse(ask(client.snrmRequest()).data)
    client.parseAareResponse(ask(client.aarqRequest()).data)
    if client.getIsAuthenticationRequired():
        client.parseApplicationAssociationResponse(ask(client.getApplicationAssociationRequest()).data)
    note = GXDLMSData(request["name"])
    note.value = bytes.fromhex(request["value"])
    ask(client.write(note, 2))
    client.updateValue(note, 2, ask(client.read(note, 2)).value)
    read = bytes(note.value).hex()
    if hdlc:
        ask(client.disconnectRequest())
    line.close()
    json.dump({"read": read}, answer)


main()
